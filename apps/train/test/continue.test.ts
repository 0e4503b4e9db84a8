import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../src/config/load';
import { readMetrics } from '../src/observe/metrics-log';
import { readEnvironments } from '../src/run/run-folder';
import { run } from './in-process';
import { tinyTensors, writeTinyModel } from './tiny-model';
import { freshRun, newestTensors, tinyOverrides } from './tiny-run';

let folder: string;
let weights: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'franca-continue-'));
  weights = await writeTinyModel(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Settings of a run without those of its model, which are the weights'. */
const settings = (steps: number) => [
  ...tinyOverrides(steps).filter((word) => !/^(franca\.vit|student\.patch_size|crops)/.test(word)),
  ...['crops.global_crops_size=16', 'crops.local_crops_number=0', 'franca.freeze_backbone_epochs=1'],
];
const words = (out: string, ...more: string[]) => [
  ...['pretrain', '-c', 'cpu-tiny', '--from', weights, '--data', 'world:length=24:size=32'],
  ...['--out', join(folder, out), ...more],
];

test('a run takes its model from weights, keeps their backbone as long as it is frozen, and is resumed and forked without them', async () => {
  const { status, output } = await run(
    ...words('run', ...settings(3), 'franca.checkpoint.keep_last=9', '--stop-after', '1'),
  );
  expect(status, output).toBe(0);
  const notes = (await readEnvironments(join(folder, 'run')))[0]!.notes!.join('; ');
  for (const said of [output, notes]) {
    expect(said).toContain('a ViT of width 16, 2 blocks, 2 heads, patches of 8 px, as the weights are');
    expect(said).toContain('positions resampled from 4 x 4 (32 px) to 2 x 2 (16 px)');
    expect(said).toContain('the backbone is frozen for the first 1 of 3 steps, while heads learn; then');
  }
  const after = await newestTensors(join(folder, 'run'));
  const stored = tinyTensors().filter(({ name }) => !/mask_token|pos_embed/.test(name));
  expect(stored.length).toBeGreaterThan(20);
  for (const { name, data } of stored)
    for (const group of ['student', 'teacher'])
      expect(after[`${group}.safetensors/backbone.${name}`], `${group} ${name}`).toBe(
        Buffer.from(Float32Array.from(data as Float32Array).buffer).toString('base64'),
      );
  const { config } = loadConfig([join(folder, 'run', 'config.yaml')]);
  expect(config.franca.vit).toMatchObject({ embed_dim: 16, depth: 2, num_heads: 2 });
  expect(config.student).toMatchObject({ pretrained_weights: weights, patch_size: 8, ffn_layer: 'mlp', layerscale: 0 });
  expect((await readMetrics(join(folder, 'run', 'metrics.jsonl'))).find(({ loss }) => loss)!.backbone_lr).toBe(0);

  await rm(weights);
  const resumed = await run('pretrain', '--resume', '--out', join(folder, 'run'));
  expect(resumed.status, resumed.output).toBe(0);
  const norm = 'teacher.safetensors/backbone.norm.weight';
  expect((await newestTensors(join(folder, 'run')))[norm]).not.toBe(after[norm]);
  const outcome = JSON.parse(await readFile(join(folder, 'run', 'outcome.json'), 'utf8'));
  expect(outcome.knn.start.weights).toBe('pretrained');

  const fork = await run('pretrain', '--fork', join(folder, 'run'), '--at', '1', '--out', join(folder, 'fork'));
  expect(fork.status, fork.output).toBe(0);
  expect(await newestTensors(join(folder, 'fork'))).toEqual(await newestTensors(join(folder, 'run')));
  const forked = JSON.parse(await readFile(join(folder, 'fork', 'outcome.json'), 'utf8'));
  expect(forked.knn.start).toEqual(outcome.knn.start);
  weights = await writeTinyModel(folder);
});

test('what contradicts the weights, and a frozen backbone without weights, are refused before anything is written', async () => {
  const other = await run(...words('other', ...settings(3), 'franca.vit.depth=3'));
  expect([other.status, other.output]).toEqual([2, expect.stringContaining('franca.vit.depth is 3 (command line)')]);
  const chance = await run(...freshRun(join(folder, 'other'), ...tinyOverrides(3), 'franca.freeze_backbone_epochs=1'));
  expect(chance.output).toContain(
    'would keep a random backbone frozen for 1 steps; name weights to start from with --from',
  );
});
