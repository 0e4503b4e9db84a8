/**
 * Renders views on the GPU, from the same records as on the CPU, to the same pixels but for ties.
 *
 * Decoded images are uploaded once, all their views are cut from them there, and the normalised tensors land where the
 * training step reads them. Buffers and pipelines are made when the augmenter is, with fixed capacities; a batch that needs
 * more is rendered in several rounds, and a bind group is made once per result buffer. Nothing is read back and nothing
 * waits: commands are queued in order, so a step submitted afterwards sees the views.
 */

import { DataError } from '../errors';
import type { PixelImage } from '../images/image';
import { ENTRY_POINTS, FRAME_WORDS, gpuKernels, MEASURE_GROUP, MEASURE_LANES, TILE, VIEW_WORDS } from './gpu-kernels';
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
  [Symbol.dispose](): void;
}

// Flag values of the WebGPU specification: Node has no `GPUBufferUsage` global.
const COPY_DST = 8;
const UNIFORM = 64;
const STORAGE = 128;
const COMPUTE = 4;

const MIB = 2 ** 20;
const MAX_VIEWS = 1024;
const DEFAULT_IMAGE_BYTES = 64 * MIB;
const DEFAULT_VIEW_BYTES = 32 * MIB;

/**
 * Makes an augmenter on any device; WebGPU's default limits suffice.
 * @throws DataError bad-argument when a capacity exceeds the device's limits, or for f16 without `shader-f16`
 */
export function createGpuAugmenter(device: GPUDevice, options: GpuAugmenterOptions = {}): GpuAugmenter {
  const { format = 'f32', normalisation = IMAGENET_NORMALISATION } = options;
  const limit = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
  const imageBytes = capacity('imageBytes', options.imageBytes ?? Math.min(DEFAULT_IMAGE_BYTES, limit), limit);
  const viewBytes = capacity('viewBytes', options.viewBytes ?? Math.min(DEFAULT_VIEW_BYTES, limit), limit);
  if (format === 'f16' && !device.features.has('shader-f16')) {
    throw new DataError('bad-argument', 'results in f16 need a device with the feature shader-f16; use f32');
  }

  const module = device.createShaderModule({ label: 'augment', code: gpuKernels(format) });
  const types = [
    'uniform',
    'read-only-storage',
    'read-only-storage',
    'storage',
    'storage',
    'storage',
    'storage',
  ] as const;
  const layout = device.createBindGroupLayout({
    entries: types.map((type, binding) => ({ binding, visibility: COMPUTE, buffer: { type } })),
  });
  const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
  const pipelines = ENTRY_POINTS.map((entryPoint) => {
    const label = `augment ${entryPoint}`;
    const compute = { module, entryPoint };
    return [entryPoint, device.createComputePipeline({ label, layout: pipelineLayout, compute })] as const;
  });

  const records = new ArrayBuffer(MAX_VIEWS * VIEW_WORDS * 4);
  const buffer = (label: string, size: number, usage = STORAGE): GPUBuffer =>
    device.createBuffer({ label: `augment ${label}`, size, usage: usage | COPY_DST });
  const frame = buffer('frame', FRAME_WORDS * 4, UNIFORM);
  const views = buffer('views', records.byteLength);
  const pictures = buffer('images', imageBytes);
  const narrowed = buffer('narrowed', viewBytes);
  const pixels = buffer('pixels', viewBytes);
  const lumaSums = buffer('luma sums', MAX_VIEWS * 4);
  const own = [frame, views, pictures, narrowed, pixels, lumaSums];

  const groups = new WeakMap<GPUBuffer, GPUBindGroup>();
  const groupFor = (output: GPUBuffer): GPUBindGroup => {
    const known = groups.get(output);
    if (known) return known;
    const entries = [...own, output].map((resource, binding) => ({ binding, resource: { buffer: resource } }));
    const group = device.createBindGroup({ layout, entries });
    groups.set(output, group);
    return group;
  };

  const frameData = new ArrayBuffer(FRAME_WORDS * 4);
  new Float32Array(frameData).set([...normalisation.mean, 0, ...normalisation.std], 4);
  const tail = new Uint8Array(4);

  /** Writes bytes at a multiple of 4; the queue takes whole words, so the last bytes go through a padded copy. */
  function upload(offset: number, data: Uint8Array): void {
    const whole = data.length & ~3;
    device.queue.writeBuffer(pictures, offset, data as Uint8Array<ArrayBuffer>, 0, whole);
    if (whole === data.length) return;
    tail.fill(0).set(data.subarray(whole));
    device.queue.writeBuffer(pictures, offset + whole, tail);
  }

  /** Renders views of one size whose images are uploaded and which fit the buffers together. */
  function submit(round: Round, size: number, output: GPUBuffer): void {
    new Uint32Array(frameData, 0, 1)[0] = size;
    device.queue.writeBuffer(frame, 0, frameData);
    device.queue.writeBuffer(views, 0, records, 0, round.count * VIEW_WORDS * 4);
    const encoder = device.createCommandEncoder({ label: 'augment' });
    encoder.clearBuffer(lumaSums, 0, round.count * 4);
    const pass = encoder.beginComputePass();
    pass.setBindGroup(0, groupFor(output));
    const tiles = Math.ceil(size / TILE);
    const grids: Record<(typeof ENTRY_POINTS)[number], [x: number, y: number]> = {
      narrow: [tiles, Math.ceil(round.rows / TILE)],
      shrink: [tiles, tiles],
      measure: [MEASURE_LANES / MEASURE_GROUP, 1],
      recolor: [tiles, tiles],
      finish: [tiles, tiles],
    };
    for (const [entryPoint, pipeline] of pipelines) {
      pass.setPipeline(pipeline);
      pass.dispatchWorkgroups(...grids[entryPoint], round.count);
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  function renderBatch(images: readonly PixelImage[], offsets: ReadonlyMap<number, number>, batch: ViewBatch): void {
    const size = batch.views[0]?.params.size ?? 0;
    let round: Round = { count: 0, rows: 0, words: 0 };
    for (const { image, slot, params } of batch.views) {
      const imageByte = offsets.get(image);
      if (imageByte === undefined) continue;
      const { height } = params.box;
      const full = round.count === MAX_VIEWS || (round.count + 1) * size * size * 4 > viewBytes;
      if (full || (round.words + height * size) * 4 > viewBytes) {
        submit(round, size, batch.output);
        round = { count: 0, rows: 0, words: 0 };
      }
      const place = { imageByte, narrowed: round.words, slot };
      writeViewRecord(...recordAt(records, round.count), images[image]!, params, place);
      round = { count: round.count + 1, rows: Math.max(round.rows, height), words: round.words + height * size };
    }
    if (round.count > 0) submit(round, size, batch.output);
  }

  return {
    bytes: own.reduce((sum, { size }) => sum + size, 0),
    maxPixels: Math.floor(imageBytes / 4),
    render(images, batches) {
      for (const batch of batches) checkBatch(images, batch, viewBytes, format === 'f16' ? 2 : 4);
      for (const group of imageGroups(images, imageBytes)) {
        for (const [image, offset] of group) upload(offset, images[image]!.data);
        for (const batch of batches) renderBatch(images, group, batch);
      }
    },
    [Symbol.dispose]() {
      for (const held of own) held.destroy();
    },
  };
}

/** Views that are rendered together. */
interface Round {
  count: number;
  /** Height of the tallest crop. */
  rows: number;
  /** Words of half-resized rows. */
  words: number;
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
