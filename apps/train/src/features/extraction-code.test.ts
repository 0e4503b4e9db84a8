import { rm } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder, writeTinyModel } from '../../test/tiny-model';
import { openImageSets } from '../image-sets/image-set';
import { centreCrop } from '../image-sets/preparation';
import type { ExtractOptions } from './extract';
import { EXTRACTION, extractionCode } from './extraction-code';
import { openSession } from './session';

test('what computes is told by extraction, packages, decoder and adapter', () => {
  const info = { vendor: 'a', architecture: 'b', device: 'c', description: 'driver 1' } as GPUAdapterInfo;
  expect(extractionCode(info)).toMatch(
    /^extraction \d+, tensor \d\S*, nn \d\S*, vit \d\S*, data \d\S*, checkpoint \d\S*, sharp \S+, libvips \S+, f32 on a, b, c, driver 1$/,
  );
  expect(extractionCode({ ...info, description: 'driver 2' })).not.toBe(extractionCode(info));
});

interface Pinned {
  readonly options: ExtractOptions;
  /** Every so many values of the arrays of two images. */
  readonly arrays: Readonly<Record<string, { readonly every: number; readonly values: readonly number[] }>>;
}

// 64 px, so that positions are resampled as well
const PINNED: Readonly<Record<string, Pinned>> = {
  'a cut-out centre': {
    options: { preparation: centreCrop(64), blocks: 2, patchMean: true, patches: true },
    arrays: {
      blocks: {
        every: 5,
        values: [-0.176, 0.051, 0.957, 0.201, 0.986, -0.504, 0.181, 1.174, 0.451, -0.489, -1.2, -0.216],
      },
      patch_mean: {
        every: 3,
        values: [-0.358, 1.186, -0.77, -0.765, 1.031, -0.004, 0.126, -0.112, 0.703, 0.243, -0.142],
      },
      patches: {
        every: 131,
        values: [-0.86, 1.075, -0.915, 0.999, 1.398, -0.356, 0.335, -0.441, 0.352, 0.035, -0.819],
      },
    },
  },
  'a square with a margin, tokens before the norm': {
    options: { preparation: { kind: 'pad-square', size: 64, side: 60 }, patches: { block: 1, norm: false } },
    arrays: { patches: { every: 131, values: [-1.116, 2.263, -0.91, 2.779, 3.099, -2.332, 0.471, -1.509] } },
  },
  'tokens of the first block after the norm': {
    options: { preparation: { kind: 'pad-square', size: 64, side: 64 }, patches: { block: 0, norm: true } },
    arrays: { patches: { every: 131, values: [-0.15, 0.947, -1.108, 0.282, 0.664, -0.519, 0.241, -0.337] } },
  },
};

test.each(Object.entries(PINNED))(
  'numbers of %s are those of this extraction: where they change on purpose, raise EXTRACTION and pin the new ones',
  async (_, { options, arrays }) => {
    const folder = await temporaryFolder();
    onTestFinished(() => rm(folder, { recursive: true }));
    await using session = await openSession({ weights: await writeTinyModel(folder), batchSize: 2, cache: folder });
    const { train, close } = await openImageSets('world:length=2:size=40:classes=2');
    onTestFinished(close);
    let compared = 0;
    for await (const shard of session.shards(train, options))
      for (const [name, { every, values }] of Object.entries(arrays))
        for (const [i, value] of values.entries()) {
          // f32 through two blocks: adapters differ by rounding, and a pixel at an edge by a gray or two of 255
          expect(Math.abs(shard[name]!.data[every * i]! - value), `${name} ${i}`).toBeLessThan(5e-3);
          compared++;
        }
    expect(compared).toBe(Object.values(arrays).reduce((sum, { values }) => sum + values.length, 0));
    expect(EXTRACTION).toBe(2);
  },
);
