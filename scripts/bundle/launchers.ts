/** The programs of a bundle, for `/bin/sh`: they find their folder, set what `files/environment.sh` sets, and become Node. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Launcher {
  readonly name: string;
  /** A sentence. */
  readonly about: string;
  /** Lines of sh, with `$here`, the folder, and `$program`, as it was called. */
  readonly start: readonly string[];
}

export const FRANCA_TRAIN: Launcher = {
  name: 'franca-train',
  about: 'franca-train, with the Node and the libraries of its bundle.',
  start: [
    'export FRANCA_PROGRAM="$program"',
    'exec "$here/bin/node" "$here/node_modules/franca-train/bin/franca-train.cjs" "$@"',
  ],
};

export const GPU_CAMPAIGN: Launcher = {
  name: 'gpu-campaign',
  about: 'Every figure that a GPU can give, in one command.',
  start: ['exec "$here/bin/node" "$here/scripts/gpu-campaign.mjs" "$@"'],
};

export const RUN_TESTS: Launcher = {
  name: 'run-tests',
  about:
    'The tests of the bundle, or those below the folders that are named, without tuning; options are those of vitest run.',
  start: [
    '[ -n "$FRANCA_TUNE" ] || export FRANCA_TUNE=off',
    'cd "$here" || exit',
    // a configuration that is loaded without a file beside it: the folder may be read-only
    'exec "$here/bin/node" "$here/node_modules/vitest/vitest.mjs" run --configLoader runner "$@"',
  ],
};

const read = (name: string): string => readFileSync(new URL(`files/${name}`, import.meta.url), 'utf8');

export function addLauncher(folder: string, { name, about, start }: Launcher): void {
  const text = read('launcher.sh').replace('@about@', () => about);
  const path = join(folder, name);
  writeFileSync(
    path,
    text.replace('@start@', () => start.join('\n')),
  );
  chmodSync(path, 0o755);
}

/** What they source. */
export function addEnvironment(folder: string): void {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'bin/environment.sh'), read('environment.sh'));
}
