/**
 * Renders views on the GPU, from the same records as on the CPU, to the same pixels but for ties.
 *
 * Decoded images are uploaded once, all their views are cut from them there, and the normalised tensors land where the
 * training step reads them. Buffers and pipelines are made when the augmenter is, with fixed capacities; a batch that needs
 * more is rendered in several rounds, and a bind group is made once per result buffer. Nothing is read back and nothing
 * waits: commands are queued in order, so a step submitted afterwards sees the views.
 */

import type { OptionKinds } from '@franca/tensor';
import { checkArgument, checkOptions, DataError } from '../errors';
import type { PixelImage } from '../images/image';
import { createViewPasses, MAX_VIEWS, type Round, type ViewPasses } from './gpu-passes';
import { recordAt, writeViewRecord } from './gpu-records';
import type { PlacedView } from './multi-crop';
import { IMAGENET_NORMALISATION, type Normalisation } from './normalise';
import { checkBox } from './render-view';

/** What a `GpuAugmenter` may use. */
export interface GpuAugmenterOptions {
  /** Bytes of decoded images on the GPU at once. Default 64 MiB, at most the device's largest storage binding. */
  imageBytes?: number;
  /** Bytes of half-resized views, and as much again of resized ones, at once. Default 32 MiB. */
  viewBytes?: number;
  /** Type of the results. `f16` needs the device feature `shader-f16`. Default `f32`. */
  format?: 'f32' | 'f16';
  /** Default: ImageNet's. */
  normalisation?: Normalisation;
}

const OPTIONS: OptionKinds<GpuAugmenterOptions> = {
  imageBytes: 'number',
  viewBytes: 'number',
  format: ['f32', 'f16'],
  normalisation: 'object',
};

/** Views of one size and the buffer that receives them. */
export interface ViewBatch {
  views: readonly PlacedView[];
  /** `[slots, 3, size, size]` in the augmenter's format, usable as STORAGE. */
  output: GPUBuffer;
}

export interface GpuAugmenter {
  /** Bytes of GPU memory held. */
  readonly bytes: number;
  /** Images with more pixels do not fit; give it to the decoder as `maxPixels`. */
  readonly maxPixels: number;
  /**
   * Queues the rendering of `batches` from `images`.
   * @throws DataError image-too-large when an image or a crop exceeds a capacity; bad-argument when a view does not lie in its
   *   image or its slot not in the output, or a batch mixes sizes
   */
  render(images: readonly PixelImage[], batches: readonly ViewBatch[]): void;
  /**
   * Compiles the kernels on adapters that do so when a kernel first runs, as software adapters do; else the first batch takes that long. `output` is
   * any buffer of `render`, and stays as it is.
   */
  warm(output: GPUBuffer): Promise<void>;
  dispose(): void;
  [Symbol.dispose](): void;
}

function checkDevice(device: GPUDevice): void {
  checkArgument('createGpuAugmenter', 'device', device, 'object');
  checkArgument('createGpuAugmenter', 'device.limits (give gpu.device)', device.limits, 'object');
  checkArgument(
    'createGpuAugmenter',
    'maxStorageBufferBindingSize',
    device.limits.maxStorageBufferBindingSize,
    'number',
  );
}

const MIB = 2 ** 20;
const DEFAULT_IMAGE_BYTES = 64 * MIB;
const DEFAULT_VIEW_BYTES = 32 * MIB;

/**
 * Makes an augmenter on any device; WebGPU's default limits suffice.
 * @throws DataError bad-argument when a capacity exceeds the device's limits, or for f16 without `shader-f16`
 */
export function createGpuAugmenter(device: GPUDevice, options: GpuAugmenterOptions = {}): GpuAugmenter {
  checkDevice(device);
  checkOptions('createGpuAugmenter', options, OPTIONS);
  const { format = 'f32', normalisation = IMAGENET_NORMALISATION } = options;
  const limit = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
  const imageBytes = capacity('imageBytes', options.imageBytes ?? Math.min(DEFAULT_IMAGE_BYTES, limit), limit);
  const viewBytes = capacity('viewBytes', options.viewBytes ?? Math.min(DEFAULT_VIEW_BYTES, limit), limit);
  if (format === 'f16' && !device.features.has('shader-f16')) {
    throw new DataError('bad-argument', 'results in f16 need a device with the feature shader-f16; use f32');
  }
  const passes = createViewPasses(device, { imageBytes, viewBytes, format, normalisation });
  return {
    bytes: passes.bytes,
    maxPixels: Math.floor(imageBytes / 4),
    render(images, batches) {
      for (const batch of batches) checkBatch(images, batch, viewBytes, format === 'f16' ? 2 : 4);
      for (const group of imageGroups(images, imageBytes)) {
        for (const [image, offset] of group) passes.upload(offset, images[image]!.data);
        for (const batch of batches) renderBatch(passes, viewBytes, { images, offsets: group, batch });
      }
    },
    warm: passes.warm,
    dispose: passes.destroy,
    [Symbol.dispose]: passes.destroy,
  };
}

/** A batch, and the images that are uploaded: index -> byte offset. */
interface UploadedBatch {
  readonly images: readonly PixelImage[];
  readonly offsets: ReadonlyMap<number, number>;
  readonly batch: ViewBatch;
}

/** Renders the views of the uploaded images, in as many rounds as they need. */
function renderBatch(passes: ViewPasses, viewBytes: number, { images, offsets, batch }: UploadedBatch): void {
  const size = batch.views[0]?.params.size ?? 0;
  let round: Round = { count: 0, rows: 0, words: 0 };
  for (const { image, slot, params } of batch.views) {
    const imageByte = offsets.get(image);
    if (imageByte === undefined) continue;
    const { height } = params.box;
    const full = round.count === MAX_VIEWS || (round.count + 1) * size * size * 4 > viewBytes;
    if (full || (round.words + height * size) * 4 > viewBytes) {
      passes.submit(round, size, batch.output);
      round = { count: 0, rows: 0, words: 0 };
    }
    const place = { imageByte, narrowed: round.words, slot };
    writeViewRecord(...recordAt(passes.records, round.count), images[image]!, params, place);
    round = { count: round.count + 1, rows: Math.max(round.rows, height), words: round.words + height * size };
  }
  if (round.count > 0) passes.submit(round, size, batch.output);
}

function capacity(name: string, bytes: number, limit: number): number {
  if (Number.isInteger(bytes) && bytes > 0 && bytes <= limit) return Math.ceil(bytes / 4) * 4;
  throw new DataError('bad-argument', `${name} is ${bytes}; the device binds from 1 to ${limit} bytes`);
}

/** Splits images, in order, into groups that fit the image buffer: index -> byte offset. */
function imageGroups(images: readonly PixelImage[], bytes: number): Map<number, number>[] {
  const groups: Map<number, number>[] = [new Map()];
  let used = 0;
  images.forEach((image, index) => {
    const needed = Math.ceil(image.data.length / 4) * 4;
    if (needed > bytes) {
      throw new DataError(
        'image-too-large',
        `a ${image.width} x ${image.height} image has ${needed} bytes, the augmenter holds ${bytes}; ` +
          'create it with larger imageBytes, or decode with maxPixels or shortSide',
      );
    }
    if (used + needed > bytes) {
      groups.push(new Map());
      used = 0;
    }
    groups.at(-1)!.set(index, used);
    used += needed;
  });
  return groups;
}

function checkBatch(images: readonly PixelImage[], batch: ViewBatch, viewBytes: number, valueBytes: number): void {
  const size = batch.views[0]?.params.size ?? 0;
  const slots = Math.floor(batch.output.size / (3 * size * size * valueBytes));
  for (const { image, slot, params } of batch.views) {
    const picture = images[image];
    if (!picture || slot < 0 || slot >= slots || params.size !== size) {
      throw new DataError(
        'bad-argument',
        `a view of ${params.size} px of image ${image} for slot ${slot}: the batch has views of ${size} px, ` +
          `${images.length} images and room for ${slots} slots`,
      );
    }
    checkBox(params.box, picture);
    if (Math.max(params.box.height, size) * size * 4 > viewBytes) {
      throw new DataError(
        'image-too-large',
        `a crop of ${params.box.height} rows at ${size} px needs more than the augmenter's ${viewBytes} bytes; ` +
          'create it with larger viewBytes, or decode with maxPixels or shortSide',
      );
    }
  }
}
