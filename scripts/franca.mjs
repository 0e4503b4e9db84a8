#!/usr/bin/env node
/**
 * `franca-train` from the sources of this clone, on a machine that is set up first: `node scripts/franca.mjs pretrain --data photos/`, which is
 * `npm start -- --data photos/`. Nothing is built: tsx translates each source when it is first used and remembers it.
 *
 * Dawn, in the process that asks it for an adapter, prints two warnings on a driver that allows more dynamic buffers than WebGPU knows what to do
 * with, as Mesa's do. They are of no consequence, come from C++ straight onto file 2, and can be switched off nowhere. So file 2 of the program is a
 * pipe to here, where exactly those two lines are dropped; what JavaScript writes to `process.stderr` goes to the terminal itself, through file 3
 * (setup/own-stderr.mjs), so that it stays one.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { passOn } from './setup/pass-on.mjs';
import { exitWith, setUp } from './setup/set-up.mjs';
import { root } from './setup/system.mjs';

const OF_NO_CONSEQUENCE =
  /^Warning: maxDynamic(Uniform|Storage)BuffersPerPipelineLayout artificially reduced from \d+ to \d+ to fit dynamic offset allocation limit\.$/;

async function main() {
  const env = {
    // threads for decoding images, as in apps/train/bin/franca-train.cjs
    UV_THREADPOOL_SIZE: String(Math.max(4, availableParallelism())),
    ...process.env,
    ...(await setUp()),
    TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'),
  };
  const args = [join(root, 'apps/train/src/cli.ts'), ...process.argv.slice(2)];
  const tsx = ['--import', import.meta.resolve('tsx')];
  if (process.platform === 'win32') return passOn([process.execPath, ...tsx, ...args], { env });
  const ownStderr = ['--import', pathToFileURL(join(root, 'scripts/setup/own-stderr.mjs')).href];
  return passOn([process.execPath, ...ownStderr, ...tsx, ...args], {
    env,
    stdio: ['inherit', 'inherit', 'pipe', 2],
    onStart: ({ stderr }) => createInterface({ input: stderr }).on('line', passLine),
  });
}

function passLine(line) {
  if (!OF_NO_CONSEQUENCE.test(line)) process.stderr.write(`${line}\n`);
}

await exitWith(main);
