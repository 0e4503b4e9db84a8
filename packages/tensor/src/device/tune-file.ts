/**
 * Measured kernel choices on disk, shared by all adapters and runs: `{ adapter: { key: variant } }` as JSON. An adapter's name includes its
 * driver and the version of this package, so that a change of either measures anew.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { TensorError } from '../base/errors';
import { type TuneCache, tuningTableOf } from './tuning';

type Choices = Map<string, string>;

/** A file that is missing, unreadable or not of this form counts as empty; a table of a run or of the package is not written over. */
function readFile(path: string): Map<string, Choices> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return new Map();
  }
  if (tuningTableOf(content))
    throw new TensorError(
      'options',
      `${path} is a table of one adapter, as runs keep them; FRANCA_TUNE names a file for the choices of all of them`,
    );
  const entries = (value: unknown): [string, unknown][] =>
    typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const isChoice = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === 'string';
  return new Map(entries(content).map(([adapter, choices]) => [adapter, new Map(entries(choices).filter(isChoice))]));
}

/**
 * The choices of one adapter in the file at `path`. If the file cannot be written, choices last as long as the process.
 * @throws TensorError options where it is the table of a run
 */
export function tuneFile(path: string, adapter: string): TuneCache {
  const choices: Choices = readFile(path).get(adapter) ?? new Map();
  return {
    get: (key) => choices.get(key),
    set(key, variant) {
      choices.set(key, variant);
      // another process may have added choices since this one read them
      const all = readFile(path);
      all.set(adapter, new Map([...(all.get(adapter) ?? []), ...choices]));
      const content = Object.fromEntries([...all].map(([name, own]) => [name, Object.fromEntries(own)]));
      writeAtomically(path, `${JSON.stringify(content, null, 2)}\n`);
    },
  };
}

function writeAtomically(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch {
    return;
  }
  try {
    writeFileSync(temporary, text, { flush: true });
    renameSync(temporary, path);
  } catch {
    rmSync(temporary, { force: true });
  }
}
