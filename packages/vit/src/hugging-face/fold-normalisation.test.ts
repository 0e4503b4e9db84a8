import { expect, test } from 'vitest';
import { FOLDERS, fileOf } from '../../test/hugging-face';
import { foldNormalisation } from './fold-normalisation';
import { translateHuggingFace } from './translate';

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const CLIP = { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] };
const { config, shapes } = FOLDERS.clip;
const file = translateHuggingFace(fileOf(shapes), config);

test('the patch embedding gives for pixels of the other normalisation what it gave for its own', async () => {
  const folded = foldNormalisation(file, CLIP, IMAGENET);
  expect([folded.family, folded.config, folded.metadata]).toEqual([file.family, file.config, file.metadata]);
  const [D, , P] = file.tensors.get('patch_embed.proj.weight')!.shape as [number, number, number];
  const pixels = Float64Array.from({ length: 3 * P * P }, (_, i) => 0.5 + 0.5 * Math.sin(1.7 * i * i));
  /** In f64, of a patch normalised by `by`. */
  const embedding = async (of: typeof file, by: typeof IMAGENET): Promise<number[]> => {
    const [weight, bias] = [
      await of.readFloat32('patch_embed.proj.weight'),
      await of.readFloat32('patch_embed.proj.bias'),
    ];
    return Array.from({ length: D }, (_, d) =>
      pixels.reduce((sum, pixel, i) => {
        const c = Math.floor(i / (P * P));
        return sum + weight[d * pixels.length + i]! * ((pixel - by.mean[c]!) / by.std[c]!);
      }, bias[d]!),
    );
  };
  const [own, other] = [await embedding(file, CLIP), await embedding(folded, IMAGENET)];
  // weights and bias are rounded to f32 once: 2^-24 of each of the 193 terms, which are below 2
  for (const [d, value] of own.entries()) expect(Math.abs(value - other[d]!)).toBeLessThan(193 * 2 * 2 ** -24);
  expect(Math.max(...(await embedding(file, IMAGENET)).map((value, d) => Math.abs(value - own[d]!)))).toBeGreaterThan(
    0.01,
  );
});

test('everything else stays, either way of reading is folded, and the same normalisation changes nothing', async () => {
  const folded = foldNormalisation(file, CLIP, IMAGENET);
  expect(folded.tensors).toEqual(file.tensors);
  const halves = new Map([...file.tensors].map(([name, info]) => [name, { ...info, dtype: 'f16', byteLength: 0 }]));
  expect(
    foldNormalisation({ ...file, tensors: halves } as never as typeof file, CLIP, IMAGENET).tensors.get(
      'patch_embed.proj.bias',
    ),
  ).toEqual(file.tensors.get('patch_embed.proj.bias'));
  for (const name of file.tensors.keys()) {
    const [before, after] = [await file.readFloat32(name), await folded.readFloat32(name)];
    expect([name, Buffer.compare(Buffer.from(before.buffer), Buffer.from(after.buffer)) === 0]).toEqual([
      name,
      !name.startsWith('patch_embed.proj.'),
    ]);
    expect(Buffer.from((await folded.read(name)).buffer).equals(Buffer.from(after.buffer))).toBe(true);
    expect(await folded.read(name, { start: 3, end: 7 })).toEqual(after.slice(3, 7));
    const same = await foldNormalisation(file, CLIP, CLIP).readFloat32(name);
    expect(Buffer.from(same.buffer).equals(Buffer.from(before.buffer))).toBe(true);
  }
});

test('what is no normalisation, and a file without a patch embedding, are refused', () => {
  const wrong = (to: object) => () => foldNormalisation(file, CLIP, to as typeof CLIP);
  expect(wrong({ mean: [0, 0, 0], std: [1, 0, 1] })).toThrow(
    /std of a normalisation is \[1,0,1\]; three numbers above 0/,
  );
  expect(wrong({ mean: [0, 0], std: [1, 1, 1] })).toThrow(/mean of a normalisation is \[0,0\]; three numbers are/);
  expect(wrong({ std: [1, 1, 1] })).toThrow(/mean of a normalisation is absent/);
  expect(() => foldNormalisation(fileOf(shapes), CLIP, IMAGENET)).toThrow(/the file has none/);
  const grey = fileOf({ 'patch_embed.proj.weight': [4, 1, 2, 2], 'patch_embed.proj.bias': [4] });
  expect(() => foldNormalisation(grey, CLIP, IMAGENET)).toThrow(/a weight of \[4, 1, 2, 2\] and a bias/);
});
