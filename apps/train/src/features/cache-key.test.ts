/** Every input of a feature, changed alone: the cache must not serve what was; and what is not computed is fresh and costs nothing. */
import { cp, mkdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type TensorEntry, writeSafetensors } from '@franca/checkpoint';
import { createRandom } from '@franca/data';
import { type FeatureCache, type FloatsOnDisk, openFeatureCache } from '@franca/evals/node';
import { encode } from 'fast-png';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder, tinyConfig, tinyMetadata, tinyTensors, writeTinyModel } from '../../test/tiny-model';
import { type ImageSet, openImageSets, spread } from '../image-sets/image-set';
import { centreCrop } from '../image-sets/preparation';
import { openSegmentationSets } from '../image-sets/segmentation-set';
import type { FeatureModel } from './compute-shard';
import { type ExtractOptions, extract } from './extract';
import { createImageVersions } from './image-versions';
import { createLeftOutImages } from './left-out-images';
import { openWeights } from './open-weights';
import type { WeightOptions } from './weights';

let root: string;
beforeEach(async () => {
  const folder = await temporaryFolder();
  root = folder;
  onTestFinished(() => rm(folder, { recursive: true }));
});

const never = (): never => {
  throw new Error('nothing is computed here');
};

/** The keys that features of a set are looked up by. */
async function keysOf(
  set: ImageSet,
  options: ExtractOptions = { preparation: centreCrop(32), blocks: 1 },
  made: { readonly weights?: string; readonly code?: string; readonly floats?: FloatsOnDisk } = {},
): Promise<string[]> {
  const keys: string[] = [];
  const cache: FeatureCache = {
    ...openFeatureCache(root),
    open: async (key) => {
      const { about: _, ...found } = key;
      keys.push(JSON.stringify(found));
      const index = Int32Array.from({ length: set.length }, (_, i) => i);
      const shapes = new Map([['values', [0, 0]]]);
      const read = async (name: string) => (name === 'index' ? index : new Float32Array(0));
      const close = async () => {};
      return { shapes, read, close, [Symbol.asyncDispose]: close };
    },
    write: never,
  };
  const model: FeatureModel = { config: tinyConfig, run: never };
  const common = { model, cache, batchSize: 2, versions: createImageVersions(), leftOut: createLeftOutImages() };
  const fixed = { ...common, name: 'tiny', floats: 'f32' } as const;
  for await (const _ of extract({ ...fixed, weights: 'w', code: 'c', ...made }, set, options));
  return keys;
}

/** A PNG of one gray; all are of one size in bytes. */
const png = (value: number): Uint8Array =>
  encode({ width: 3, height: 2, channels: 1, depth: 8, data: new Uint8Array(6).fill(value) });
/** Clocks of file systems tick every few milliseconds. */
const tick = (): Promise<void> => setTimeout(20);

async function put(files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(root, name, '..'), { recursive: true });
    await writeFile(join(root, name), content);
  }
}

const labelsOf = (set: ImageSet): (string | undefined)[] =>
  Array.from({ length: set.length }, (_, index) => set.classes[set.label(index)]);

describe('files of images', () => {
  const FILES = {
    'train/cat/1.png': png(1),
    'train/cat/2.png': png(2),
    'train/dog/3.png': png(3),
    'val/cat/4.png': png(4),
  };
  const open = async () => {
    const sets = await openImageSets(root);
    onTestFinished(() => sets.close());
    return sets.train;
  };
  /** Whether features are others afterwards, and the classes of the images. */
  const CHANGES: Record<string, { change: () => Promise<unknown>; recomputed: boolean; classes: string[] }> = {
    nothing: { change: async () => {}, recomputed: false, classes: ['cat', 'cat', 'dog'] },
    'other content of the same size': {
      change: () => put({ 'train/cat/2.png': png(9) }),
      recomputed: true,
      classes: ['cat', 'cat', 'dog'],
    },
    'other content, its time set back': {
      change: async () => {
        const file = join(root, 'train/cat/2.png');
        const { atime, mtime } = await stat(file);
        await put({ 'train/cat/2.png': png(9) });
        await utimes(file, atime, mtime);
      },
      recomputed: true,
      classes: ['cat', 'cat', 'dog'],
    },
    'two images that change places': {
      change: async () => {
        const [a, b, aside] = ['train/cat/1.png', 'train/cat/2.png', 'aside'].map((name) => join(root, name));
        await rename(a!, aside!);
        await rename(b!, a!);
        await rename(aside!, b!);
      },
      recomputed: true,
      classes: ['cat', 'cat', 'dog'],
    },
    'an image less': {
      change: () => rm(join(root, 'train/cat/2.png')),
      recomputed: true,
      classes: ['cat', 'dog'],
    },
    'an image more': {
      change: () => put({ 'train/dog/5.png': png(5) }),
      recomputed: true,
      classes: ['cat', 'cat', 'dog', 'dog'],
    },
    'a class folder less': {
      change: () => rm(join(root, 'train/dog'), { recursive: true }),
      recomputed: true,
      classes: [],
    },
    'a class folder of another name': {
      change: () => rename(join(root, 'train/dog'), join(root, 'train/dodo')),
      recomputed: false,
      classes: ['cat', 'cat', 'dodo'],
    },
    'a class folder whose new name comes first': {
      change: () => rename(join(root, 'train/dog'), join(root, 'train/adder')),
      recomputed: true,
      classes: ['adder', 'cat', 'cat'],
    },
    'another image of the other part': {
      change: () => put({ 'val/cat/4.png': png(9) }),
      recomputed: false,
      classes: ['cat', 'cat', 'dog'],
    },
  };
  test.each(Object.entries(CHANGES))('%s', async (_, { change, recomputed, classes }) => {
    await put(FILES);
    const before = await keysOf(await open());
    await tick();
    await change();
    const after = await open();
    expect((await keysOf(after))[0] !== before[0]).toBe(recomputed);
    expect(labelsOf(after).filter((name) => name !== undefined)).toEqual(classes);
  });

  test('the choice of images', async () => {
    await put(FILES);
    const set = await open();
    const chosen = await Promise.all([undefined, 2, 1].map(async (limit) => (await keysOf(spread(set, limit)))[0]));
    expect(new Set(chosen).size).toBe(3);
  });

  test('labels of a list are fresh, its order is in the key', async () => {
    await put({ '1.png': png(1), '2.png': png(2), 'val.txt': '1.png a\n', 'train.txt': '1.png a\n2.png b\n' });
    const openList = async () => (await openImageSets(join(root, 'train.txt'))).train;
    const first = await openList();
    await put({ 'train.txt': '1.png b\n2.png a\n' });
    const relabelled = await openList();
    await put({ 'train.txt': '2.png b\n1.png a\n' });
    const reordered = await openList();
    expect([labelsOf(first), labelsOf(relabelled), labelsOf(reordered)]).toEqual([
      ['a', 'b'],
      ['b', 'a'],
      ['b', 'a'],
    ]);
    expect(await keysOf(relabelled)).toEqual(await keysOf(first));
    expect(await keysOf(reordered)).not.toEqual(await keysOf(first));
  });

  test('masks are fresh and in no key, their pictures are', async () => {
    const pairs = Array.from({ length: 6 }, (_, i) => ({
      [`train/images/${i}.png`]: png(i),
      [`train/masks/${i}.png`]: png(255 * (i % 2)),
    }));
    await put({ ...Object.assign({}, ...pairs), 'classes.json': '["a", "b"]' });
    const openMasked = async () => (await openSegmentationSets(root, {})).train;
    const before = await openMasked();
    const key = Number(before.key(0).split('.')[0]);
    expect((await before.mask!(0)).data[0]).toBe(255 * (key % 2));
    const keys = await keysOf(before);
    await tick();
    await put({ [`train/masks/${key}.png`]: png(1) });
    const corrected = await openMasked();
    expect(await keysOf(corrected)).toEqual(keys);
    expect((await corrected.mask!(0)).data[0]).toBe(1);
    await put({ [`train/images/${key}.png`]: png(200) });
    expect(await keysOf(await openMasked())).not.toEqual(keys);
  });

  test('30 made-up series of changes: what has one key has the same pixels in the same order', async () => {
    const base = root;
    const pixelsOf = async (set: ImageSet): Promise<string> => {
      const images = Array.from({ length: set.length }, async (_, index) => (await set.read(index)).data[0]);
      return (await Promise.all(images)).join(' ');
    };
    let recomputed = 0;
    for (let seed = 0; seed < 30; seed++) {
      const random = createRandom({ seed, position: 0, stream: 0 });
      root = join(base, String(seed));
      await put(FILES);
      const known = new Map<string, string>();
      for (let step = 0; step < 5; step++) {
        const set = await open();
        const [key] = await keysOf(set);
        const pixels = await pixelsOf(set);
        expect(known.get(key!) ?? pixels, `seed ${seed}, step ${step}`).toBe(pixels);
        expect(await keysOf(await open())).toEqual([key]);
        recomputed += Number(!known.has(key!));
        known.set(key!, pixels);
        await tick();
        const changes = Object.values(CHANGES);
        // what a change is about may be gone: then an image is written
        const other = { [`train/cat/${1 + random.below(3)}.png`]: png(random.below(200)) };
        await changes[random.below(changes.length)]!.change().catch(() => put(other));
      }
    }
    expect(recomputed).toBeGreaterThan(60);
  });
});

describe('the generated world', () => {
  test('every option of it', async () => {
    const keyOf = async (spec: string) => (await keysOf((await openImageSets(spec)).train))[0];
    const specs = ['', ':seed=1', ':size=17', ':classes=4', ':length=7'].map((more) => {
      const options = {
        length: 6,
        size: 16,
        classes: 3,
        ...Object.fromEntries([more.slice(1).split('=')].filter(([k]) => k)),
      };
      return `world:${Object.entries(options)
        .map((pair) => pair.join('='))
        .join(':')}`;
    });
    expect(new Set(await Promise.all(specs.map(keyOf))).size).toBe(specs.length);
  });
});

describe('how images are taken', () => {
  const WAYS: Record<string, ExtractOptions> = {
    'as usual': { preparation: centreCrop(32), blocks: 1 },
    'another size': { preparation: centreCrop(64), blocks: 1 },
    'another shorter side': {
      preparation: { ...centreCrop(32), resize: 40 } as ExtractOptions['preparation'],
      blocks: 1,
    },
    squashed: { preparation: { kind: 'squash', size: 32 }, blocks: 1 },
    'patch mean': { preparation: centreCrop(32), patchMean: true },
    patches: { preparation: centreCrop(32), patches: true },
    'patches of a block': { preparation: centreCrop(32), patches: { block: 0, norm: true } },
    'before the norm': { preparation: centreCrop(32), patches: { block: 0, norm: false } },
    levels: { preparation: centreCrop(32), levels: { blocks: [0, 1], norm: true } },
  };
  test('every option of it, and what computes', async () => {
    const { train } = await openImageSets('world:length=3:size=16:classes=2');
    const keys = await Promise.all([
      ...Object.values(WAYS).map((options) => keysOf(train, options)),
      keysOf(train, WAYS['as usual'], { weights: 'others' }),
      keysOf(train, WAYS['as usual'], { code: 'another' }),
      keysOf(train, WAYS['as usual'], { floats: 'f16' }),
    ]);
    expect(new Set(keys.flat()).size).toBe(Object.keys(WAYS).length + 3);
  });

  test('an output is the same in any company', async () => {
    const { train } = await openImageSets('world:length=3:size=16:classes=2');
    const [alone] = await keysOf(train);
    const more = { preparation: centreCrop(32), blocks: 2, patchMean: true, patches: true };
    const all = await keysOf(train, more);
    expect(all.length).toBe(4);
    expect(all).toContain(alone);
  });
});

describe('the model', () => {
  const identityOf = async (path: string, options?: WeightOptions): Promise<string> => {
    await using weights = await openWeights(path, options);
    return weights.identity();
  };

  test('every option of it and every value of its weights', async () => {
    const file = await writeTinyModel(root);
    const other = join(root, 'other.safetensors');
    const changed = tinyTensors().map((entry, i): TensorEntry => {
      const data = Float32Array.from(entry.data as Float32Array);
      if (i === 3) data[0]! += 1e-6;
      return { ...entry, data };
    });
    await writeSafetensors(other, changed, tinyMetadata);
    const folded = join(root, 'folded.safetensors');
    const eye = Float32Array.from({ length: 256 }, (_, i) => Number(i % 17 === 0));
    await writeSafetensors(
      folded,
      [
        ...tinyTensors(),
        { name: 'rasa.weight', dtype: 'f32', shape: [16, 16], data: eye },
        { name: 'rasa.bias', dtype: 'f32', shape: [16], data: new Float32Array(16) },
      ],
      tinyMetadata,
    );
    const identities = await Promise.all([
      identityOf(file),
      identityOf(file, { heads: 4 }),
      identityOf(file, { interpolateOffset: 0 }),
      identityOf(file, { interpolateAntialias: true }),
      identityOf(`random:${file}`),
      identityOf(`random:${file}`, { heads: 4 }),
      identityOf(other),
      identityOf(folded),
      identityOf(folded, { rasa: 'none' }),
    ]);
    expect(new Set(identities).size).toBe(identities.length);
    await cp(file, join(root, 'copy.safetensors'));
    expect(await identityOf(join(root, 'copy.safetensors'), { heads: 2 })).toBe(identities[0]);
  });

  test('the content of every shard', async () => {
    const [half, rest] = [tinyTensors().slice(0, 5), tinyTensors().slice(5)];
    const write = async (entries: readonly TensorEntry[]) => {
      await writeSafetensors(join(root, 'a.safetensors'), half);
      await writeSafetensors(join(root, 'b.safetensors'), entries);
      const map = [
        ...half.map(({ name }) => [name, 'a.safetensors']),
        ...rest.map(({ name }) => [name, 'b.safetensors']),
      ];
      await put({ 'model.safetensors.index.json': JSON.stringify({ weight_map: Object.fromEntries(map) }) });
      return identityOf(join(root, 'model.safetensors.index.json'), { heads: 2 });
    };
    const before = await write(rest);
    const { atime, mtime } = await stat(join(root, 'b.safetensors'));
    expect(await write(rest)).toBe(before);
    const after = await write(
      rest.map((entry) => ({ ...entry, data: (entry.data as Float32Array).map((x) => x + 1) })),
    );
    await utimes(join(root, 'b.safetensors'), atime, mtime);
    expect(after).not.toBe(before);
  });
});
