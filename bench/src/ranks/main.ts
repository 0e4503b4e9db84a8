/**
 * npm run bench:ranks [-- --json <file>] [--rounds <n>]
 *
 * Steps of 1, 2 and 4 ranks on this machine, each beside what `franca-train plan --ranks` would expect of it with the rates that are measured in the same run. Every rank
 * has one thread for its adapter. A round runs all of them in turn.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
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

const processors = availableParallelism();
const rounds: RankReport[][] = [];
for (let round = 0; round < Number(options.rounds); round++) {
  const reports: RankReport[] = [];
  for (const size of SIZES) {
    const report = measure(size, reports[0]);
    reports.push(report);
    for (const { name, seconds, expected } of report.steps)
      console.log(
        `${size} ranks, ${name}: ${ms(seconds)} ms, expected ${ms(expected.seconds)} of which ${ms(expected.exposedSeconds)} exposed; others kept ${report.otherLoad.toFixed(1)} processors busy`,
      );
  }
  rounds.push(reports);
}
const summary = Object.keys(MODELS).flatMap((name, model) =>
  SIZES.map((ranks, i) => {
    const of = (pick: (report: RankReport) => number): number => median(rounds.map((reports) => pick(reports[i]!)));
    const seconds = of(({ steps }) => steps[model]!.seconds);
    const expected = of(({ steps }) => steps[model]!.expected.seconds);
    return {
      name,
      ranks,
      seconds,
      expected,
      ratio: of(({ steps }) => steps[model]!.expected.seconds / steps[model]!.seconds),
    };
  }),
);
for (const { name, ranks, seconds, expected, ratio } of summary)
  console.log(`${name}, ${ranks} ranks: ${ms(seconds)} ms, expected ${ms(expected)}: ${ratio.toFixed(2)} of it`);
if (options.json) {
  const report = { node: process.version, processors, date: new Date().toISOString(), summary, rounds };
  writeFileSync(resolve(process.env.INIT_CWD ?? '.', options.json), `${JSON.stringify(report, null, 2)}\n`);
}

/** Ranks of one thread each. What one rank took tells how slow kernels are; more ranks than processors take turns. */
function measure(size: number, alone: RankReport | undefined): RankReport {
  const turns = Math.max(1, size / processors);
  const models = Object.entries(MODELS).map(([name, overrides], i) => {
    const step = alone?.steps[i];
    return { name, overrides, slowness: step ? (turns * step.seconds) / step.expected.seconds : 1 };
  });
  const job: RankJob = { models, runs: RUNS };
  const program = fileURLToPath(new URL('rank.ts', import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    options.mpirun,
    [
      '--oversubscribe',
      '--bind-to',
      'none',
      '-n',
      `${size}`,
      process.execPath,
      '--import',
      'tsx',
      program,
      JSON.stringify(job),
    ],
    {
      env: {
        ...process.env,
        LP_NUM_THREADS: '1',
        FRANCA_TUNE: 'off',
        OMPI_ALLOW_RUN_AS_ROOT: '1',
        OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
      },
      encoding: 'utf8',
    },
  );
  const line = stdout?.split('\n').find((text) => text.includes(REPORT_MARK));
  if (status !== 0 || !line)
    throw new Error(`${size} ranks of ${options.mpirun} ended with ${status}:\n${stdout}\n${stderr}`);
  return JSON.parse(line.slice(line.indexOf(REPORT_MARK) + REPORT_MARK.length)) as RankReport;
}

function ms(seconds: number): string {
  return (seconds * 1e3).toFixed(1);
}
