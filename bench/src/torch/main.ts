/**
 * npm run bench:torch [-- --preset cpu-tiny] [--images <n>]... [--device auto|cuda|cpu] [--variants eager,compiled] [--steps <n>] [--python <program>]
 * [--limit <seconds>] [--json <file>] [key=value...]
 *
 * A pretraining step beside the same step in plain PyTorch, once for each number of images; the program of `benchTorch`.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { benchTorch, type TorchRecord, VARIANTS } from './bench-torch';
import { findPython } from './python';

const { values: flags, positionals: overrides } = parseArgs({
  allowPositionals: true,
  options: {
    preset: { type: 'string', default: 'cpu-tiny' },
    images: { type: 'string', multiple: true },
    device: { type: 'string', default: 'auto' },
    variants: { type: 'string', default: 'eager' },
    steps: { type: 'string', default: '5' },
    python: { type: 'string' },
    limit: { type: 'string', default: '600' },
    json: { type: 'string' },
  },
});

/** A number of a flag. @throws Error for what is no whole number above 0 */
function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} ${text}: expected a whole number above 0`);
  return value;
}

async function main(): Promise<void> {
  const python = findPython(flags.python);
  if (!python) {
    console.log('skipped: no Python with PyTorch here (Debian: apt-get install python3-torch; or --python <program>)');
    return;
  }
  const names = flags.variants.split(',');
  const variants = VARIANTS.filter((variant) => names.includes(variant));
  if (variants.length !== names.length) throw new Error(`--variants ${flags.variants}: expected ${VARIANTS.join(',')}`);
  const records: TorchRecord[] = [];
  for (const images of flags.images?.map((text) => wholeNumber('images', text)) ?? [undefined]) {
    const record = await benchTorch({
      preset: flags.preset,
      overrides,
      ...(images === undefined ? {} : { images }),
      steps: wholeNumber('steps', flags.steps),
      device: flags.device,
      variants,
      python,
      limitSeconds: wholeNumber('limit', flags.limit),
      log: console.log,
    });
    records.push(record);
    // written at once: a later run may fail
    if (flags.json)
      writeFileSync(resolve(process.env.INIT_CWD ?? '.', flags.json), `${JSON.stringify(records, null, 2)}\n`);
  }
  const failed = records.flatMap(({ torch }) => torch).filter((outcome) => 'error' in outcome || outcome.refused);
  if (failed.length > 0) process.exitCode = 1;
}

await main();
