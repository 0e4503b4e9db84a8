/**
 * Another normalisation of pixels, folded into the patch embedding. A model made for (x - m) / s, channel by channel, that is given z = (x - m') / s' instead, has
 * x = s' z + m', so that its embedding
 *
 *   b + sum_c w_c (x_c - m_c) / s_c  =  b + sum_c w_c (m'_c - m_c) / s_c  +  sum_c (w_c s'_c / s_c) z_c
 *
 * is one of z with weights w_c s'_c / s_c and that constant for a bias, w_c summed over the pixels of a patch. Nothing is lost: images are whole patches, there is no
 * padding whose zeros would mean another colour.
 */
import { sizeOf } from '@franca/tensor';
import { VitError } from '../errors';
import { tensorsOf, type WeightFile } from '../weights';

/** Pixels in [0, 1] become (x - mean) / std, channel by channel: red, green, blue. */
export interface PixelNormalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * The same file for pixels that are normalised by `to` instead of `from`: weight and bias of its patch embedding are others, computed in f64 when they are read.
 * @throws VitError `config` for normalisations that are not three means and three deviations above 0, `weights` for a file without a patch embedding
 */
export function foldNormalisation<File extends WeightFile>(
  file: File,
  from: PixelNormalisation,
  to: PixelNormalisation,
): File {
  for (const each of [from, to]) checkNormalisation(each);
  const { own } = tensorsOf(file);
  const [weight, bias] = ['weight', 'bias'].map((part) => own.get(`patch_embed.proj.${part}`));
  const shape = weight?.shape ?? [];
  if (!weight || !bias || shape.length !== 4 || shape[1] !== 3)
    throw new VitError(
      'weights',
      `a normalisation is folded into patch_embed.proj.weight [D, 3, P, P] and its bias; ${weight ? `there is a weight of [${shape.join(', ')}] ${bias ? 'and a' : 'without'} bias` : 'the file has none'}`,
    );
  const scales = [0, 1, 2].map((c) => to.std[c]! / from.std[c]!);
  const shifts = [0, 1, 2].map((c) => (to.mean[c]! - from.mean[c]!) / from.std[c]!);
  const pixels = shape[2]! * shape[3]!;
  const channelOf = (i: number): number => Math.floor(i / pixels) % 3;
  const folded = async (name: string): Promise<Float32Array<ArrayBuffer> | undefined> => {
    if (name !== weight.stored && name !== bias.stored) return undefined;
    const w = await file.readFloat32(weight.stored);
    if (name === weight.stored) return Float32Array.from(w, (value, i) => value * scales[channelOf(i)]!);
    return Float32Array.from(await file.readFloat32(bias.stored), (value, d) => {
      let sum = value;
      for (let i = 3 * pixels * d; i < 3 * pixels * (d + 1); i++) sum += w[i]! * shifts[channelOf(i)]!;
      return sum;
    });
  };
  return withReading(file, [weight.stored, bias.stored], folded);
}

type Range = { readonly start: number; readonly end: number } | undefined;
type Read = (name: string, range?: Range) => Promise<unknown>;

/** What `@franca/checkpoint` says of a tensor besides, whatever it was stored as. */
const asF32 = <Info extends { readonly shape: readonly number[] }>(info: Info): Info => ({
  ...info,
  dtype: 'f32',
  byteLength: 4 * sizeOf(info.shape),
});

/** The file with other values of some tensors, f32, by either way of reading them. */
function withReading<File extends WeightFile>(
  file: File,
  changed: readonly string[],
  other: (name: string) => Promise<Float32Array | undefined>,
): File {
  const tensors = new Map(
    [...file.tensors].map(([name, info]) => [name, changed.includes(name) && 'dtype' in info ? asF32(info) : info]),
  );
  const around =
    (read: Read): Read =>
    async (name, range) => {
      const values = await other(name);
      return values && range ? values.slice(range.start, range.end) : (values ?? read(name, range));
    };
  const readers = { read: (file as { readonly read?: Read }).read, readFloat32: file.readFloat32 as Read };
  const wrapped = Object.entries(readers).map(([name, read]) => [name, read && around(read.bind(file))] as const);
  return { ...file, tensors, ...Object.fromEntries(wrapped.filter(([, read]) => read)) };
}

function checkNormalisation(given: PixelNormalisation): void {
  for (const [name, least] of [
    ['mean', Number.NEGATIVE_INFINITY],
    ['std', 0],
  ] as const) {
    const values: unknown = given?.[name];
    const fits = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value > least;
    if (!Array.isArray(values) || values.length !== 3 || !values.every(fits))
      throw new VitError(
        'config',
        `${name} of a normalisation is ${JSON.stringify(values) ?? 'absent'}; three numbers${least === 0 ? ' above 0' : ''} are expected, of red, green and blue`,
      );
  }
}
