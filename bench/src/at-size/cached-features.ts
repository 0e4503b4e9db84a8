/** Made features in a cache on disk, in files of 4,096 images, and both ways of reading them: in order, and by rows. */
import type { LabelledFeatures, StoredProbeFeatures } from '@franca/evals';
import { type FeatureKey, openFeatureCache } from '@franca/evals/node';
import type { MadeFeatures } from './made-features';

const PER_FILE = 4096;

export interface CachedFeatures extends AsyncDisposable {
  write(): Promise<void>;
  /** In order, file by file. */
  batches(): AsyncGenerator<LabelledFeatures>;
  readonly stored: StoredProbeFeatures;
}

export async function cachedFeatures(folder: string, made: MadeFeatures): Promise<CachedFeatures> {
  const cache = openFeatureCache(folder);
  const { dim, labels } = made;
  const count = labels.length;
  const keyOf = (file: number): FeatureKey => {
    const items = [file * PER_FILE, Math.min((file + 1) * PER_FILE, count)];
    return { weights: 'none', preprocessing: 'none', data: 'made', outputs: 'cls', code: '1', floats: 'f16', items };
  };
  const files = Math.ceil(count / PER_FILE);

  async function read(begin: number, end: number): Promise<Float32Array> {
    const out = new Float32Array((end - begin) * dim);
    for (let file = Math.floor(begin / PER_FILE); file * PER_FILE < end; file++) {
      const first = file * PER_FILE;
      const [from, to] = [Math.max(begin, first), Math.min(end, first + PER_FILE)];
      await using open = await cache.open(keyOf(file));
      if (!open) throw new Error(`file ${file} is gone`);
      out.set((await open.read('cls', from - first, to - first)) as Float32Array, (from - begin) * dim);
    }
    return out;
  }

  return {
    async write() {
      for (let file = 0; file < files; file++) {
        const [begin, end] = keyOf(file).items as [number, number];
        await cache.write(keyOf(file), { cls: { shape: [end - begin, dim], data: made.rows(begin, end) } });
      }
    },
    async *batches() {
      for (let begin = 0; begin < count; begin += PER_FILE) {
        const end = Math.min(begin + PER_FILE, count);
        yield { dim, cls: await read(begin, end), labels: labels.subarray(begin, end) };
      }
    },
    stored: {
      dim,
      blocks: 1,
      patchMean: false,
      labels,
      read: async (begin, end) => ({ dim, blocks: [await read(begin, end)], labels: labels.subarray(begin, end) }),
    },
    [Symbol.asyncDispose]: cache.close,
  };
}
