/** Features that are about to be written: arrays that come piece by piece, and what stands beside them in every format. */
import type { FileOutput } from './raw-features';

export interface WrittenFeatures {
  readonly outputs: readonly FileOutput[];
  /** Extents of an output, images first. */
  shape(output: FileOutput): readonly number[];
  /** Its values, some images at a time; may be read several times. */
  pieces(output: FileOutput): AsyncIterable<Float32Array>;
  /** All outputs of some images at a time. */
  batches(): AsyncIterable<Readonly<Record<FileOutput, Float32Array | undefined>> & { readonly images: number }>;
  /** By image. */
  readonly names: readonly string[];
  /** Places in `classes`; -1 where an image has none. */
  readonly labels: Int32Array<ArrayBuffer>;
  readonly classes: readonly string[];
  readonly notes: readonly string[];
  /** Texts by name: model, configuration, data set, preparation of images. */
  readonly texts: Readonly<Record<string, string>>;
}
