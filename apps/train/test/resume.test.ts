import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openWeights } from '../src/features/open-weights';
import { readMetrics } from '../src/observe/metrics-log';
import { freshRun, newestTensors, startCli, tinyOverrides } from './tiny-run';

const STEPS = 12;
let folder: string;
let reference: Record<string, string>;
let wholeOutput: string;
const args = (out: string, ...more: string[]) => freshRun(join(folder, out), ...more, ...tinyOverrides(STEPS));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'franca-resume-'));
  const { status, output } = await startCli(args('whole')).done;
  expect(status, output).toBe(0);
  wholeOutput = output;
  reference = await newestTensors(join(folder, 'whole'));
});
/** What stands behind a name on the last screen. */
const rowsOf = (output: string, name: string): string[] =>
  [...output.matchAll(new RegExp(`^ {2}${name} +(.*)$`, 'gm'))].map((match) => match[1]!);

afterAll(() => rm(folder, { recursive: true, force: true }));

test('a run folder explains itself', async () => {
  const run = join(folder, 'whole');
  const texts = [
    'config.yaml',
    'environment.json',
    'metrics.jsonl',
    'outcome.json',
    'report.html',
    'start.json',
    'tuning.json',
  ];
  for (const name of [
    ...texts,
    'teacher.safetensors',
    'pictures/maps-00000012.png',
    'pictures/neighbours-00000012.png',
  ])
    expect((await stat(join(run, name))).size, name).toBeGreaterThan(0);
  const rows = (await readMetrics(join(run, 'metrics.jsonl'))).filter((row) => 'loss' in row);
  expect(rows.map((row) => row.step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
  expect(rows.every((row) => Number.isFinite(row.loss as number) && (row.loss as number) > 0)).toBe(true);
  const report = await readFile(join(run, 'report.html'), 'utf8');
  expect(report).toContain('<svg');
  const { sentence, knn } = JSON.parse(await readFile(join(run, 'outcome.json'), 'utf8'));
  expect(report).toContain(`<p class="subtitle">${sentence}</p>`);
  expect(wholeOutput.replaceAll('\n', ' ')).toContain(sentence);
  expect(rowsOf(wholeOutput, 'untrained network')).toEqual([`${(100 * knn.start.share).toFixed(1)} %`]);
});

test('every file of weights that a run leaves says its configuration, heads included', async () => {
  const run = join(folder, 'whole');
  const places = [run, join(run, 'teacher.safetensors'), join(run, 'checkpoints', reference.checkpoint!)];
  const copy = join(folder, 'copy.safetensors');
  await copyFile(join(run, 'checkpoints', reference.checkpoint!, 'student.safetensors'), copy);
  for (const place of [...places, copy]) {
    await using weights = await openWeights(place);
    expect(weights.config, place).toMatchObject({ embedDim: 32, depth: 1, numHeads: 2, layerScale: 1, imgSize: 16 });
    expect([weights.assumed, weights.notes], place).toEqual([[], []]);
  }
  expect(JSON.parse(await readFile(join(run, 'config.json'), 'utf8'))).toMatchObject({ num_heads: 2 });
});

test('killed at random moments and resumed, a run ends with the bits of one that was never killed', async () => {
  let killed = 0;
  for (let attempt = 0; attempt < 12; attempt++) {
    const { child, done } = startCli(args('killed', '--resume', 'auto'));
    // the first starts are killed as soon as they made progress, at different phases of a step or a save
    const limit = attempt < 3 ? 1 + attempt : Number.POSITIVE_INFINITY;
    const watch = setInterval(async () => {
      const saved = await newestTensors(join(folder, 'killed')).then(
        (tensors) => Number(tensors.checkpoint!.match(/\d+/)![0]),
        () => 0,
      );
      if (saved >= 3 * limit) setTimeout(() => child.kill('SIGKILL'), 37 * attempt);
    }, 20);
    const { status, output } = await done;
    clearInterval(watch);
    if (status === 0) break;
    expect(status, output).toBeNull();
    killed++;
  }
  expect(killed).toBeGreaterThan(0);
  expect(await newestTensors(join(folder, 'killed'))).toEqual(reference);
  const rows = (await readMetrics(join(folder, 'killed', 'metrics.jsonl'))).filter((row) => 'loss' in row);
  const whole = (await readMetrics(join(folder, 'whole', 'metrics.jsonl'))).filter((row) => 'loss' in row);
  expect(rows.map((row) => [row.step, row.loss])).toEqual(whole.map((row) => [row.step, row.loss]));
  // how it began and what came of it too: the start is kept, as its weights are gone
  for (const name of ['start.json', 'outcome.json'])
    expect(await readFile(join(folder, 'killed', name), 'utf8')).toBe(
      await readFile(join(folder, 'whole', name), 'utf8'),
    );
});

test('Ctrl-C saves, says how to resume, and resuming gives the same bits', async () => {
  const { child, done } = startCli(args('stopped'));
  const watch = setInterval(async () => {
    if ((await readMetrics(join(folder, 'stopped', 'metrics.jsonl')).catch(() => [])).some((row) => row.step >= 2)) {
      clearInterval(watch);
      child.kill('SIGINT');
    }
  }, 10);
  const { status, output } = await done;
  clearInterval(watch);
  expect(status, output).toBe(0);
  expect(output).toMatch(/continue after step \d+ with: .* pretrain --resume --out .*stopped/);
  const resumed = await startCli(args('stopped', '--resume')).done;
  expect(resumed.status).toBe(0);
  expect(await newestTensors(join(folder, 'stopped'))).toEqual(reference);
  // what is kept on the device was decided when the run began
  expect(output).toMatch(/^remat off, all logits kept: the step takes /m);
  expect(resumed.output).toMatch(/^as the run began, remat off, all logits kept: the step takes /m);
});

test('a folder that holds a run is not overwritten, and a damaged checkpoint is passed over', async () => {
  const { status, output } = await startCli(args('whole')).done;
  expect(status).toBe(1);
  expect(output).toMatch(/already holds a run; continue it with --resume, or give another --out/);
  const newest = join(folder, 'whole', 'checkpoints', reference.checkpoint!, 'student.safetensors');
  await writeFile(newest, (await readFile(newest)).subarray(0, 1000));
  const again = await startCli(args('whole', '--resume')).done;
  expect(again.output).toMatch(/warning: .*student\.safetensors is damaged/);
  expect(again.status, again.output).toBe(0);
  // the same step saved again stands under a name of its own
  expect({ ...(await newestTensors(join(folder, 'whole'))), checkpoint: reference.checkpoint }).toEqual(reference);
});

test('a configuration of another model is refused before anything is loaded', async () => {
  const run = ['pretrain', '--resume', '--out', join(folder, 'whole'), 'franca.vit.embed_dim=64'];
  const { status, output } = await startCli(run).done;
  expect(status, output).toBe(2);
  expect(output).toContain('franca.vit.embed_dim 32 -> 64 makes another model than that of the checkpoint');
});
