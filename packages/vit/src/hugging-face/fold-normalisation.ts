/**
 * Another normalisation of pixels, folded into the patch embedding.
 */
import { VitError } from '../errors';
import type { WeightFile } from '../weights';

/** Pixels in [0, 1] become (x - mean) / std, channel by channel: red, green, blue. */
export interface PixelNormalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * The same model for pixels that are normalised by `to` instead of `from`.
 * @throws VitError `config` for normalisations that are not of three finite numbers, std above 0
 */
export function foldNormalisation<File extends WeightFile>(
  file: File,
  from: PixelNormalisation,
  to: PixelNormalisation,
): File {
  throw new VitError('config', `not yet: ${file.tensors.size} ${from.mean} ${to.mean}`);
}
