import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { boundaryAccuracy, type EvalRecord, regionSimilarity } from '@franca/evals';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { sharedData } from '../../../../../test/support/shared';
import { type Files, writeFiles } from '../../../test/file-trees';
import { writeAt } from '../../../test/mask-files';
import { runTask } from '../../../test/run-task';
import { temporaryFolder, writeTinyModel } from '../../../test/tiny-model';
import { davisFiles, HEIGHT, movingIds, WIDTH } from '../../../test/video-files';
import { type FeatureSession, openSession } from '../../features/session';
import { readMask } from '../../image-sets/read-mask';
import { runCli } from '../../run-cli';
import { task } from './video';

// a real backbone computes for longer here than Mesa takes to optimise
vi.stubEnv('GALLIVM_PERF', undefined);

let folder: string;
let tiny: string;
let session: FeatureSession;
let seen = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
  tiny = await writeTinyModel(folder);
  const opened = await openSession({ weights: tiny, batchSize: 8, cache: join(folder, 'cache') });
  const { model } = opened;
  const run: typeof model.run = (images, request) => {
    seen += 1;
    return model.run(images, request);
  };
  session = { ...opened, model: { ...model, run } };
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const at = (...path: string[]): string => join(folder, ...path);

const written = (name: string, files: Files): Promise<string> => writeFiles(at(name), files);

interface Line {
  readonly sequence: string;
  readonly object: number;
  readonly shortSide: number;
  readonly J: { readonly mean: number };
  readonly F: { readonly mean: number };
  readonly frames: readonly string[];
  readonly regions: readonly number[];
  readonly boundaries: readonly number[];
}

/** Runs the task on the open model: how many frames it saw, and what it said. */
async function follow(data: string, options: Readonly<Record<string, unknown>> = {}) {
  seen = 0;
  const run = await runTask<Line>(task, session, {
    data,
    items: at('items.jsonl'),
    options: { size: HEIGHT, ...options },
  });
  return { ...run, seen };
}

test('each object has its J and F; masks and animations hold every frame; a second time nothing is computed', async () => {
  const davis = await written('davis', await davisFiles({ bear: [1], pair: [1, 3] }));
  const first = await follow(davis, { masks: at('masks'), animate: at('animated') });
  expect(first.seen).toBe(10);
  expect(first.items.map(({ sequence, object, frames }) => [sequence, object, frames.join()])).toEqual([
    ['bear', 1, '00001,00002,00003'],
    ['pair', 1, '00001,00002,00003'],
    ['pair', 3, '00001,00002,00003'],
  ]);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [both, j, f] = first.records;
  expect([both, j, f].map((record) => [record!.metric, record!.variant])).toEqual(
    ['J&F', 'J', 'F'].map((metric) => [metric, '32 px']),
  );
  expect(j!.value).toBeCloseTo(mean(first.items.map(({ regions }) => mean(regions))), 12);
  expect(f!.value).toBeCloseTo(mean(first.items.map(({ boundaries }) => mean(boundaries))), 12);
  expect(both!.value).toBeCloseTo((j!.value + f!.value) / 2, 12);
  expect(both).toMatchObject({ dataset: 'davis-2017', split: 'val', evaluated: 3, total: 3, selectedOn: 'nothing' });
  expect(both!.hyper.settings).toBe('short side 32 in place of 480');
  expect(both!.notes).toContain("frames: the long side is a multiple of 8, DINO's is one of 64");
  expect(both!.preprocessing).toMatch(/short side 32, .* OpenCV's 8-bit bilinear, .* .228 for .229/);
  expect(both!.notes!.join()).toMatch(/positions resampled from 4 x 4 \(32 px\) to 4 x 5/);
  // all objects are squares that move alike
  const maskAt = (frame: number) => Uint8Array.from(movingIds(frame, [1]));
  const still = [1, 2, 3].map((frame) => {
    const masks = [maskAt(frame), maskAt(0)] as const;
    return (regionSimilarity(...masks) + boundaryAccuracy(...masks, [HEIGHT, WIDTH])) / 2;
  });
  expect(both!.others['J&F of the given masks']).toBeCloseTo(mean(still), 12);
  expect(await readdir(at('masks', 'pair'))).toEqual([0, 1, 2, 3, 4].map((frame) => `0000${frame}.png`));
  const path = at('masks', 'pair', '00000.png');
  const mask = readMask(await readFile(path), path);
  expect([mask.form, Array.from(mask.data)]).toEqual(['palette', movingIds(0, [1, 3])]);
  const animated = await sharp(at('animated', 'bear.webp'), { animated: true }).metadata();
  expect([animated.pages, animated.width, animated.pageHeight]).toEqual([5, WIDTH, HEIGHT]);
  const again = await follow(davis);
  expect([again.seen, again.items]).toEqual([0, first.items]);
  expect(first.section!.tables![0]!.caption).toContain(`as if nothing moved: ${(100 * mean(still)).toFixed(1)}`);
  expect(first.section!.tables!.map(({ rows }) => rows.length)).toEqual([3, 2, 1]);
  // a corrected mask of the first frame is another question
  await writeAt(
    join(davis, 'Annotations/480p/bear/00000.png'),
    await readFile(join(davis, 'Annotations/480p/bear/00001.png')),
  );
  expect((await follow(davis)).seen).toBe(5);
});

test('what was followed before a failure is not followed again', async () => {
  const broken = await written('broken', await davisFiles({ ant: [1], bee: [1] }));
  const picture = join(broken, 'JPEGImages/480p/bee/00003.jpg');
  const good = await readFile(picture);
  await writeFile(picture, 'no picture');
  await expect(follow(broken)).rejects.toThrow(/bee\/00003.jpg cannot be read/);
  await writeFile(picture, good);
  expect((await follow(broken)).seen).toBe(5);
});

test('sequences without further masks are followed and shown, and nothing is scored', async () => {
  const files = await davisFiles({ fox: [2] });
  const bare = Object.fromEntries(Object.entries(files).filter(([path]) => !/Annotations.*0000[1-9]/.test(path)));
  const { records, section, said, items } = await follow(await written('bare', bare), { masks: at('bare masks') });
  expect([records, items]).toEqual([[], []]);
  expect(said).toMatch(
    /note: 1 sequences have no masks to score against: objects are followed, nothing is scored: fox/,
  );
  expect(section!.notices).toHaveLength(1);
  expect(section!.charts).toHaveLength(1);
  expect(await readdir(at('bare masks', 'fox'))).toHaveLength(5);
});

test("several sizes and DINOv3's protocol have records of their own; what cannot be meant is refused", async () => {
  const davis = await written('sizes', await davisFiles({ gnu: [1] }, 3));
  const { records } = await follow(davis, { size: undefined, sizes: [32, 48], protocol: 'dinov3', topK: 3 });
  expect(records.map(({ metric, variant, protocol }) => [metric, variant, protocol])).toEqual(
    ['32 px', '48 px'].flatMap((size) => ['J&F', 'J', 'F'].map((metric) => [metric, size, 'dinov3'])),
  );
  expect(records[0]!.hyper).toMatchObject({ temperature: 0.2, neighbourhood: 'circle', topK: 3 });
  expect(records[0]!.hyper.settings).toMatch(/topK 3 in place of 5; short side 32 in place of 480, 960, 1440/);
  await expect(follow(davis, { sizes: [32, 48] })).rejects.toThrow(/--size or --sizes, not both/);
  await expect(follow(davis, { size: undefined, sizes: [32, 32] })).rejects.toThrow(/has a side twice/);
  await expect(follow(davis, { size: undefined, sizes: [32, 48], masks: at('no') })).rejects.toThrow(
    /are for one size/,
  );
  const own = { masks: join(davis, 'Annotations/480p'), data: davis };
  await expect(follow(davis, own)).rejects.toThrow(/would replace what is read/);
});

const deit = sharedData('deit-tiny');
const mini = sharedData('davis-mini');

test.skipIf(!deit || !mini)(
  'DeiT-Tiny has the J and F of an independent program on the first frames (needs shared/data/deit-tiny and davis-mini)',
  { timeout: 120_000 },
  async () => {
    // of each scored frame, computed with PyTorch on the same pictures at a short side of 320
    const expected = {
      'composite-libby-car-roundabout 1': { J: [0.701143, 0.669962], F: [0.778385, 0.734127] },
      'composite-libby-car-roundabout 2': { J: [0.899996, 0.874237], F: [0.840777, 0.798654] },
    };
    const name = 'composite-libby-car-roundabout';
    await writeAt(at('mini/ImageSets/2017/val.txt'), name);
    for (const [kind, ending] of [
      ['JPEGImages', 'jpg'],
      ['Annotations', 'png'],
    ]) {
      const place = join(kind!, '480p', name);
      await mkdir(at('mini', place), { recursive: true });
      for (const frame of ['00000', '00001', '00002', '00003'])
        await copyFile(join(mini!, place, `${frame}.${ending}`), at('mini', place, `${frame}.${ending}`));
    }
    const printed: string[] = [];
    const spies = [
      vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line)),
      vi.spyOn(console, 'error').mockImplementation((line: string) => void printed.push(line)),
    ];
    const weights = join(deit!, 'deit_tiny_patch16_224.safetensors');
    const outputs = ['--json', at('mini.json'), '--items', at('mini.jsonl'), '--html', at('mini.html')];
    const status = await runCli([
      ...['eval', 'video', '-w', weights, '-d', at('mini'), '--size', '320', '--cache', at('cache'), ...outputs],
    ]);
    for (const spy of spies) spy.mockRestore();
    expect([status, printed.at(-1)]).toEqual([0, expect.stringMatching(/^wrote/)]);
    const lines = (await readFile(at('mini.jsonl'), 'utf8')).trim().split('\n');
    const found = lines.map((line) => JSON.parse(line) as Line);
    expect(found.map(({ sequence, object }) => `${sequence} ${object}`)).toEqual(Object.keys(expected));
    for (const { sequence, object, regions, boundaries } of found) {
      const { J, F } = expected[`${sequence} ${object}` as keyof typeof expected];
      for (const [i, value] of [...regions, ...boundaries].entries())
        expect(Math.abs(value - [...J, ...F][i]!)).toBeLessThan(1e-3);
    }
    const records = JSON.parse(await readFile(at('mini.json'), 'utf8')) as EvalRecord[];
    expect(records[0]).toMatchObject({ task: 'video-segmentation', evaluated: 2, total: 2 });
    expect(await readFile(at('mini.html'), 'utf8')).toContain('each object at 320 px, in percent');
  },
);
