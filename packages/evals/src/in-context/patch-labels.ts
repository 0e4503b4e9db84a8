/**
 * Soft labels of patches: the share of each class among the pixels of a patch, `[rows * cols, classes]`. Pixels marked
 * `ignore` count as class 0, as in the reference; pixels of other labels beyond the classes count for nothing.
 */
import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOptions, EvalsError } from '../errors';
import type { Extent } from '../numerics/bilinear';

export interface PatchLabelOptions {
  readonly grid: Extent;
  readonly maskSize: Extent;
  readonly classes: number;
  /** Label of pixels that belong to no class. */
  readonly ignore: number;
}

const OPTIONS: OptionKinds<PatchLabelOptions> = {
  grid: 'numbers',
  maskSize: 'numbers',
  classes: 'number',
  ignore: 'number',
};

/** @throws EvalsError `options` when the patches do not cover whole pixels, or the mask has another size. */
export function patchLabels(mask: Uint8Array, options: PatchLabelOptions): Float32Array {
  checkArgument('patchLabels', 'mask', mask, 'Uint8Array');
  checkOptions('patchLabels', options, OPTIONS);
  const { grid, maskSize, classes, ignore } = options;
  for (const name of ['grid', 'maskSize', 'classes', 'ignore'] as const)
    checkArgument('patchLabels', name, options[name], OPTIONS[name]);
  const [height, width] = [maskSize[0] / grid[0], maskSize[1] / grid[1]];
  if (!Number.isInteger(height) || !Number.isInteger(width)) {
    throw new EvalsError(
      'options',
      `a mask of ${maskSize.join(' x ')} pixels is no whole number of pixels per patch of a ${grid.join(' x ')} grid; resize it`,
    );
  }
  if (mask.length !== maskSize[0] * maskSize[1])
    throw new EvalsError('options', `${mask.length} pixels are no mask of ${maskSize.join(' x ')}`);
  const labels = new Float32Array(grid[0] * grid[1] * classes);
  const share = 1 / (height * width);
  for (let y = 0, pixel = 0; y < maskSize[0]; y++) {
    const first = Math.floor(y / height) * grid[1];
    for (let x = 0; x < maskSize[1]; x++, pixel++) {
      const value = mask[pixel]!;
      const label = value === ignore ? 0 : value;
      if (label < classes) labels[(first + Math.floor(x / width)) * classes + label]! += share;
    }
  }
  return labels;
}
