/** What is said where a model's position table does not fit the input and is resampled. */
import type { ConfigOfWeights } from '@franca/vit';
import type { PerhapsAlone } from './output-alone';

/** Undefined where the table is used as it is. `input`: side of the input in pixels, or in words the grids of inputs of several sizes. */
export function resamplingNote(
  { config, assumed, outputAlone }: Pick<ConfigOfWeights, 'config' | 'assumed'> & PerhapsAlone,
  input: number | string,
): string | undefined {
  const { imgSize, patchSize, interpolateAntialias, interpolateOffset, numRegisterTokens } = config;
  // what a model does inside about positions is not known of its output alone
  if (input === imgSize || outputAlone) return undefined;
  const from = imgSize / patchSize;
  const to = typeof input === 'string' ? input : `${input / patchSize} x ${input / patchSize} (${input} px)`;
  const guessed = assumed.includes('interpolateOffset') || assumed.includes('interpolateAntialias');
  const model = numRegisterTokens > 0 ? 'DINOv2 with registers' : 'DINOv2 without registers and Franca';
  const others = numRegisterTokens > 0 ? '' : '; timm: --interpolate-offset 0 --interpolate-antialias';
  return (
    `positions resampled from ${from} x ${from} (${imgSize} px) to ${to}, bicubic, ` +
    `${interpolateAntialias ? 'antialiased' : 'not antialiased'}, offset ${interpolateOffset}` +
    (guessed ? ` (assumed, as in ${model}${others})` : '')
  );
}
