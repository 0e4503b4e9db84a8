/**
 * npm run bench [-- --json <file>] [--only <text>] [--rounds <n>]
 *
 * Runs every case with all parties side by side and prints ratios and the share of the adapter's measured peak.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openGpu } from '@franca/tensor/node';
import type { Parties, PartyName } from './case';
import { CASES } from './cases/index';
import { measureEncodeCost } from './encode-cost';
import { watchOtherLoad } from './machine-load';
import { measureCase } from './measure';
import { openJax } from './parties/jax';
import { openTfjs } from './parties/tfjs';
import { measurePeak } from './peak';
import { type CaseResult, caseLine, summarise } from './report';

const { values: options } = parseArgs({
  options: { json: { type: 'string' }, only: { type: 'string' }, rounds: { type: 'string', default: '7' } },
});

/** Opens a peer; one that cannot run here is left out, with the reason. */
async function orNone<T>(party: PartyName, open: () => Promise<T>): Promise<T | undefined> {
  try {
    return await open();
  } catch (error) {
    console.log(`without ${party}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

const otherLoad = watchOtherLoad();
const encodeMicroseconds = await measureEncodeCost();
// as training runs: without Dawn's bounds checks, for the peers too
await using gpu = await openGpu({ robustness: false });
const peak = await measurePeak(gpu);
console.log(`${gpu.target.name}; Node ${process.version}, ${availableParallelism()} processors`);
const second = peak.byProcessor ? 'second of processor time' : 'second';
console.log(
  `measured peak: ${(peak.flopsPerSecond / 1e9).toFixed(1)} GFLOP of multiply-adds in registers and ${(peak.bytesPerSecond / 1e9).toFixed(1)} GB of copying per ${second}`,
);
console.log(`replay: ${encodeMicroseconds.toFixed(2)} us of processor time per kernel on the null backend`);
console.log('times are medians; a peer at 3.0x, 2.0x takes three times as long and twice the processor time\n');

const tfjs = await orNone('tfjs webgpu', openTfjs);
const jaxGpu = await orNone('jax-js webgpu', () => openJax('webgpu'));
const jaxWasm = await orNone('jax-js wasm', () => openJax('wasm'));
const parties: Partial<Parties> = {
  franca: gpu,
  ...(tfjs && { 'tfjs webgpu': tfjs }),
  ...(jaxGpu && { 'jax-js webgpu': jaxGpu }),
  ...(jaxWasm && { 'jax-js wasm': jaxWasm }),
};

const results: CaseResult[] = [];
for (const bench of CASES) {
  if (options.only && !bench.name.includes(options.only)) continue;
  const result = summarise(await measureCase(bench, parties, Number(options.rounds)), peak);
  results.push(result);
  console.log(caseLine(result));
}
const others = otherLoad();
console.log(`\nother processes kept ${others.toFixed(1)} processors busy meanwhile`);

if (options.json) {
  const report = {
    adapter: gpu.target.name,
    node: process.version,
    processors: availableParallelism(),
    date: new Date().toISOString(),
    otherLoad: others,
    peak,
    encodeMicroseconds,
    cases: results,
  };
  writeFileSync(resolve(process.env.INIT_CWD ?? '.', options.json), `${JSON.stringify(report, null, 2)}\n`);
}
// peers keep their devices open
process.exitCode = results.some(({ disagreements }) => disagreements.length > 0) ? 1 : 0;
setImmediate(() => process.exit());
