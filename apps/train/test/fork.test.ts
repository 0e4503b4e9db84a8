import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSafetensors } from '../../../test/support/safetensors';
import { readMetrics } from '../src/observe/metrics-log';
import { resampleTable } from '../src/run/position-table';
import { readEnvironments } from '../src/run/run-folder';
import { run } from './in-process';
import { freshRun, newestTensors, tinyData, tinyOverrides } from './tiny-run';

const STEPS = 6;
const AT = 3;
let folder: string;
const fork = (name: string, ...more: string[]) =>
  run('pretrain', '--fork', join(folder, 'run'), '--at', String(AT), '--out', join(folder, name), ...more);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'franca-fork-'));
  const words = freshRun(join(folder, 'run'), ...tinyOverrides(STEPS), 'franca.checkpoint.keep_last=9');
  const { status, output } = await run(...words);
  expect(status, output).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a fork with nothing changed ends with the bits of its parent', async () => {
  const { status, output } = await fork('same');
  expect(status, output).toBe(0);
  expect(await newestTensors(join(folder, 'same'))).toEqual(await newestTensors(join(folder, 'run')));
  const losses = async (name: string) =>
    (await readMetrics(join(folder, name, 'metrics.jsonl'))).flatMap(({ step, loss }) => (loss ? [[step, loss]] : []));
  expect(await losses('same')).toEqual(await losses('run'));
});

test('twice the length and batch go on at the rate that is announced, and the folder says so', async () => {
  const { status, output } = await fork('longer', 'optim.epochs=12', 'train.batch_size_per_gpu=8', '--stop-after', '5');
  expect(status, output).toBe(0);
  const [, before, now] = /at step 4: learning rate (\S+) before, (\S+) now/.exec(output)!;
  expect(output).toContain('optim.epochs 6 -> 12; batch 4 -> 8 scales the base rate by sqrt(2)');
  const rate = async (name: string) =>
    (await readMetrics(join(folder, name, 'metrics.jsonl'))).find(({ step, lr }) => step === 4 && lr)!.lr as number;
  expect([before, now]).toEqual([(await rate('run')).toExponential(2), (await rate('longer')).toExponential(2)]);
  // half a cosine of 5 and of 11 steps after the warm-up, from the base rate of 4 and of 8 images
  const cosine = (images: number, total: number) => {
    const [peak, end] = [0.006 * Math.sqrt(images / 1024), 1e-6];
    return end + 0.5 * (peak - end) * (1 + Math.cos((Math.PI * (AT - 1)) / (total - 1)));
  };
  expect(Number(before)).toBeCloseTo(cosine(4, 6), 6);
  expect(Number(now)).toBeCloseTo(cosine(8, 12), 6);
  const [environment] = await readEnvironments(join(folder, 'longer'));
  expect(environment!.fork).toEqual({
    run: join(folder, 'run'),
    step: AT,
    changes: [
      { key: 'train.batch_size_per_gpu', from: '4', to: '8' },
      { key: 'optim.epochs', from: '6', to: '12' },
    ],
  });
  const report = await readFile(join(folder, 'longer', 'report.html'), 'utf8');
  expect(report).toContain('optim.epochs 6 -&gt; 12');
  // compared with how its parent began, and it says whose steps those were
  expect(report).toContain(`; the first ${AT} steps were those of ${join(folder, 'run')}`);
  const outcome = JSON.parse(await readFile(join(folder, 'longer', 'outcome.json'), 'utf8'));
  expect(outcome.knn.start.weights).toBe('untrained');
});

test('a fork that is resumed goes on as one that was not stopped', async () => {
  const changes = ['train.seed=5', '--data', 'world:length=40:size=32'];
  const { status, output } = await fork('at-once', ...changes);
  expect(status, output).toBe(0);
  expect(output).toContain('pictures are drawn from the start of a new order (other data than before: there were 48');
  // stopped where it began: the checkpoint of the fork is the first thing that is written
  expect((await fork('in-parts', ...changes, '--stop-after', '3')).status).toBe(0);
  expect((await run('pretrain', '--resume', '--out', join(folder, 'in-parts'))).status).toBe(0);
  expect(await newestTensors(join(folder, 'in-parts'))).toEqual(await newestTensors(join(folder, 'at-once')));
});

test('another size of crops resamples positions, whose moments start over', async () => {
  const { status, output } = await fork('larger', 'crops.global_crops_size=32', '--stop-after', String(AT));
  expect(status, output).toBe(0);
  expect(output).toContain('positions resampled from 4 x 4 to 8 x 8, their Adam moments start over');
  const table = async (name: string, group: string) => {
    const file = join(folder, name, 'checkpoints', 'step-00000003', `${group}.safetensors`);
    return readSafetensors(file).tensors.get('backbone.pos_embed')!.data as Float32Array;
  };
  const D = 32;
  for (const group of ['student', 'teacher'])
    expect((await table('larger', group)).subarray(D)).toEqual(
      resampleTable(await table('run', group), 4, 8, D).subarray(D),
    );
  const [first, squares, before] = [await table('larger', 'm'), await table('larger', 'v'), await table('run', 'v')];
  expect(first.subarray(D).every((value) => value === 0)).toBe(true);
  for (let d = 0; d < D; d++) {
    const mean = Array.from({ length: 16 }, (_, row) => before[(1 + row) * D + d]!).reduce((a, b) => a + b) / 16;
    expect([squares[D + d], squares[64 * D + d]]).toEqual([Math.fround(mean), Math.fround(mean)]);
    expect(squares[d]).toBe(before[d]);
  }
  const goesOn = await run('pretrain', '--resume', '--out', join(folder, 'larger'));
  expect(goesOn.status, goesOn.output).toBe(0);
});

test('what has no counterpart in the run before starts anew, and is named; so is what is left behind', async () => {
  const plain = join(folder, 'plain');
  const words = ['-c', 'cpu-tiny', '--data', tinyData, ...tinyOverrides(STEPS)];
  expect((await run('pretrain', ...words, '--out', plain, '--stop-after', '1')).status).toBe(0);
  const centred = join(folder, 'centred');
  const there = await run(
    'pretrain',
    '--fork',
    plain,
    '--out',
    centred,
    'train.centering=centering',
    '--stop-after',
    '2',
  );
  expect(there.status, there.output).toBe(0);
  expect(there.output).toContain('center.dino.0 starts anew: the run before had none');
  const back = await run(
    'pretrain',
    '--fork',
    centred,
    '--out',
    join(folder, 'back'),
    'train.centering=sinkhorn_knopp',
  );
  expect(back.status, back.output).toBe(0);
  expect(back.output).toContain('center.dino.0 is left behind: this run has none');
});

test('a student of the run goes on bit for bit with its frozen teacher, wherever that lies now, and with no other', async () => {
  const [own, teacher] = [join(folder, 'student'), join(folder, 'run', 'teacher.safetensors')];
  const checkpoint = (of: string, step: number) => join(of, 'checkpoints', `step-0000000${step}`);
  const { status, output } = await run(
    ...freshRun(own, ...tinyOverrides(2), `franca.distillation.teacher=${join(folder, 'run')}`),
  );
  expect(status, output).toBe(0);
  expect(output).toContain('warning: the teacher is not larger than its student');
  expect(output.replaceAll(/\s+/g, ' ')).toContain(`it learned from a frozen teacher, ${teacher}.`);
  const tensors = await newestTensors(own);
  expect(Object.keys(tensors).some((name) => name.startsWith('frozen'))).toBe(false);
  // as if it had been killed in its second step
  await rm(checkpoint(own, 2), { recursive: true });
  const resume = (place: string) => run('pretrain', '--resume', '--out', own, `franca.distillation.teacher=${place}`);
  const refused = await resume(checkpoint(join(folder, 'run'), AT));
  expect(refused.status).not.toBe(0);
  expect(refused.output).toContain(`the run learned from ${teacher} (SHA-256 of its weights`);
  const moved = join(folder, 'moved.safetensors');
  await cp(join(checkpoint(join(folder, 'run'), STEPS), 'teacher.safetensors'), moved);
  const resumed = await resume(moved);
  expect(resumed.status, resumed.output).toBe(0);
  expect(await newestTensors(own)).toEqual(tensors);
});
