/**
 * npm run bench:ranks [-- --json <file>] [--rounds <n>] [--mpirun <program>]
 *
 * Steps of 1, 2 and 4 ranks on this machine, each beside what `franca-train plan --ranks` would expect of it with the rates that are measured in the same run, and beside
 * as many processes that take the same step for themselves, at the same time: what they share of processors and memory ranks share too, and only the exchanges are different. From
 * these processes the model has the speed of kernels. Every one has one thread for its adapter. A round runs all of them in turn.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { AS_ROOT } from '../../../test/support/as-root';
import { median } from '../measure';
import { type RankJob, type RankReport, REPORT_MARK } from './report';

const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    mpirun: { type: 'string', default: 'mpirun' },
  },
});
const RUNS = 9;
const SIZES = [1, 2, 4];
const MODELS: Readonly<Record<string, readonly string[]>> = {
  'cpu-tiny': [],
  'cpu-tiny, large heads': [
    'train.batch_size_per_gpu=8',
    ...['dino', 'ibot'].flatMap((head) => [`${head}.head_n_prototypes=4096`, `${head}.head_hidden_dim=1024`]),
  ],
};

/** Processes for themselves, and as ranks. */
interface Pair {
  readonly apart: readonly RankReport[];
  readonly together: RankReport;
}

const rounds: Pair[][] = [];
for (let round = 0; round < Number(options.rounds); round++) {
  const pairs: Pair[] = [];
  for (const size of SIZES) {
    pairs.push(await measure(size));
    Object.keys(MODELS).forEach((name, model) => {
      console.log(`${size} ranks, ${name}: ${timesText(timesOf(pairs.at(-1)!, model))}`);
    });
  }
  rounds.push(pairs);
}
console.log('\nmedians of the rounds');
const summary = Object.keys(MODELS).flatMap((name, model) =>
  SIZES.map((ranks, i) => {
    const all = rounds.map((pairs) => timesOf(pairs[i]!, model));
    const of = (part: keyof Times): number => median(all.map((times) => times[part]));
    const times = { apart: of('apart'), seconds: of('seconds'), expected: of('expected'), otherLoad: of('otherLoad') };
    console.log(`${name}, ${ranks} ranks: ${timesText(times)}`);
    return { name, ranks, ...times };
  }),
);
if (options.json) {
  const { adapter } = rounds[0]![0]!.together;
  const about = { adapter, node: process.version, processors: availableParallelism(), date: new Date().toISOString() };
  writeFileSync(
    resolve(process.env.INIT_CWD ?? '.', options.json),
    `${JSON.stringify({ ...about, summary, rounds }, null, 2)}\n`,
  );
}

interface Times {
  /** Seconds of a step of processes that exchange nothing, the mean of theirs; of ranks; and of these as expected. */
  readonly apart: number;
  readonly seconds: number;
  readonly expected: number;
  readonly otherLoad: number;
}

function timesOf({ apart, together }: Pair, model: number): Times {
  const { seconds, expected } = together.steps[model]!;
  return { apart: secondsApart(apart, model), seconds, expected: expected.seconds, otherLoad: together.otherLoad };
}

function timesText({ apart, seconds, expected, otherLoad }: Times): string {
  const ms = (value: number): string => (value * 1e3).toFixed(0);
  const share = (value: number): string => `${((100 * apart) / value).toFixed(0)} %`;
  return `${ms(apart)} ms apart, ${ms(seconds)} together (${share(seconds)}), expected ${ms(expected)} (${share(expected)}); others kept ${otherLoad.toFixed(1)} processors busy`;
}

function secondsApart(apart: readonly RankReport[], model: number): number {
  return apart.reduce((sum, { steps }) => sum + steps[model]!.seconds, 0) / apart.length;
}

async function measure(size: number): Promise<Pair> {
  const models = Object.entries(MODELS).map(([name, overrides]) => ({ name, overrides, slowness: 1 }));
  const apart = await Promise.all(Array.from({ length: size }, () => report([], { models, runs: RUNS })));
  const slowed = models.map((model, i) => {
    const { expected } = apart[0]!.steps[i]!;
    return { ...model, slowness: secondsApart(apart, i) / expected.seconds };
  });
  const launcher = [options.mpirun, '--oversubscribe', '--bind-to', 'none', '-n', `${size}`];
  return { apart, together: await report(launcher, { models: slowed, runs: RUNS }) };
}

/** What rank 0 of a launcher's processes prints, or the process itself without a launcher. */
async function report(launcher: readonly string[], job: RankJob): Promise<RankReport> {
  const program = fileURLToPath(new URL('rank.ts', import.meta.url));
  const [command, ...words] = [...launcher, process.execPath, '--import', 'tsx', program, JSON.stringify(job)];
  const child = spawn(command!, words, {
    env: {
      ...process.env,
      LP_NUM_THREADS: '1',
      FRANCA_TUNE: 'off',
      ...AS_ROOT,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => {
      output += text;
    });
  const status = await new Promise((done, fail) => child.on('error', fail).on('close', done));
  const line = output.split('\n').find((text) => text.includes(REPORT_MARK));
  if (status !== 0 || !line) throw new Error(`${command} ended with ${String(status)}:\n${output}`);
  return JSON.parse(line.slice(line.indexOf(REPORT_MARK) + REPORT_MARK.length)) as RankReport;
}
