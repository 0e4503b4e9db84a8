/** The processor's name, as exactly as the system tells: a software adapter runs on it, and does not say which it is. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

/** Linux tells more than Node passes on; virtual machines often have one name for several generations. */
const TELLING =
  /^(vendor_id|model name|cpu family|model|stepping|CPU (implementer|architecture|variant|part))\s*:\s*(.+)$/;

/** What `/proc/cpuinfo` says of the first processor, on one line; nothing where it is of another form. */
export const processorFacts = (cpuinfo: string): string =>
  (cpuinfo.trim().split(/\n\s*\n/)[0] ?? '')
    .split('\n')
    .flatMap((line) => TELLING.exec(line)?.[3] ?? [])
    .join(' ');

/** Name and number of the processors that this process may use. */
export function processorName(): string {
  let facts = '';
  try {
    facts = processorFacts(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    // not Linux: the model is all there is
  }
  return `${facts || cpus()[0]?.model || 'unknown processor'} x ${availableParallelism()}`;
}
