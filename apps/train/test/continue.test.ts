import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../src/config/load';
import { readMetrics } from '../src/observe/metrics-log';
import { readEnvironments } from '../src/run/run-folder';
import { run } from './in-process';
import { freshRun, newestTensors, tinyOverrides } from './tiny-run';

let folder: string;
let parent: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'franca-continue-'));
  parent = join(folder, 'parent');
  const { status, output } = await run(...freshRun(parent, ...tinyOverrides(1)));
  expect(status, output).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Settings of a run without those of its model, which are the weights'. */
const settings = (steps: number) =>
  tinyOverrides(steps).filter((word) => !/^(franca\.vit|student\.patch_size)/.test(word));
const words = (out: string, ...more: string[]) =>
  freshRun(join(folder, out), '--from', parent, ...settings(3), ...more);
const frozen = ['franca.freeze_backbone_epochs=1'];

test('a run takes model and positions from another one, keeps its backbone as long as it is frozen, and is resumed and forked', async () => {
  const { status, output } = await run(...words('run', 'crops.global_crops_size=24', ...frozen, '--stop-after', '1'));
  expect(status, output).toBe(0);
  expect(output).toContain('a ViT of width 32, 1 blocks, 2 heads, patches of 4 px, as the weights are');
  expect(output).toContain('positions resampled from 4 x 4 (16 px) to 6 x 6 (24 px)');
  const notes = (await readEnvironments(join(folder, 'run')))[0]!.notes!.join();
  expect(notes).toContain('the backbone is frozen for the first 1 of 3 steps, while heads learn; then');
  const [before, after] = [await newestTensors(parent), await newestTensors(join(folder, 'run'))];
  const trunk = Object.keys(before).filter((name) => /^(student|teacher)\.safetensors\/backbone\./.test(name));
  const same = trunk.filter((name) => !/mask_token|pos_embed/.test(name));
  expect(same.length).toBeGreaterThan(20);
  // student and teacher begin as the teacher that was exported
  for (const name of same) expect(after[name], name).toBe(before[name.replace(/^student/, 'teacher')]);
  const { config } = loadConfig([join(folder, 'run', 'config.yaml')]);
  expect(config.franca.vit).toMatchObject({ embed_dim: 32, depth: 1, num_heads: 2 });
  expect(config.student).toMatchObject({ pretrained_weights: parent, patch_size: 4 });
  expect((await readMetrics(join(folder, 'run', 'metrics.jsonl'))).find(({ loss }) => loss)!.backbone_lr).toBe(0);

  const resumed = await run('pretrain', '--resume', '--out', join(folder, 'run'));
  expect(resumed.status, resumed.output).toBe(0);
  const learned = await newestTensors(join(folder, 'run'));
  expect(learned['teacher.safetensors/backbone.norm.weight']).not.toBe(
    after['teacher.safetensors/backbone.norm.weight'],
  );
  const fork = ['--fork', join(folder, 'run'), '--at', '3', '--out', join(folder, 'fork'), 'optim.epochs=4'];
  const forked = await run('pretrain', ...fork);
  expect(forked.status, forked.output).toBe(0);
  const outcome = JSON.parse(await readFile(join(folder, 'fork', 'outcome.json'), 'utf8'));
  expect(outcome.knn.start.weights).toBe('pretrained');
});

test('what contradicts the weights, and a frozen backbone without weights, are refused before anything is written', async () => {
  const other = await run(...words('other', 'franca.vit.depth=2'));
  expect([other.status, other.output]).toEqual([2, expect.stringContaining('franca.vit.depth is 2 (command line)')]);
  const chance = await run(...freshRun(join(folder, 'other'), ...tinyOverrides(3), ...frozen));
  expect(chance.output).toContain(
    'would keep a random backbone frozen for 1 steps; name weights to start from with --from',
  );
});
