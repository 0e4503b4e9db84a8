/**
 * The view renderer on a device: its buffers, its pipelines, and the five kernels as one submit.
 *
 * A round is some views of one size whose images are uploaded and which fit the buffers together. All buffers are made at
 * once; only a bind group is made for every result buffer that was not seen before.
 */

import { ENTRY_POINTS, FRAME_WORDS, gpuKernels, MEASURE_GROUP, MEASURE_LANES, TILE, VIEW_WORDS } from './gpu-kernels';
import type { Normalisation } from './normalise';

export interface ViewPassesOptions {
  /** Bytes of images held at once, a multiple of 4. */
  readonly imageBytes: number;
  /** Bytes of half-resized views, and as much again of resized ones, a multiple of 4. */
  readonly viewBytes: number;
  readonly format: 'f32' | 'f16';
  readonly normalisation: Normalisation;
}

/** Views that are rendered together, their records written. */
export interface Round {
  count: number;
  /** Height of the tallest crop. */
  rows: number;
  /** Words of half-resized rows. */
  words: number;
}

export interface ViewPasses {
  /** Bytes of GPU memory held. */
  readonly bytes: number;
  /** Where the records of the next round are written: `MAX_VIEWS` of `VIEW_WORDS` words. */
  readonly records: ArrayBuffer;
  /** Writes an image at a multiple of 4 bytes. */
  upload(offset: number, data: Uint8Array): void;
  /** Queues the rendering of a round of `size x size` views into their slots of `output`. */
  submit(round: Round, size: number, output: GPUBuffer): void;
  /** Compiles the kernels on adapters that do so when a kernel first runs; renders nothing. */
  warm(output: GPUBuffer): Promise<void>;
  destroy(): void;
}

/** Views of one round at most. */
export const MAX_VIEWS = 1024;

// Flag values of the WebGPU specification: Node has no `GPUBufferUsage` global.
const COPY_DST = 8;
const UNIFORM = 64;
const STORAGE = 128;
const INDIRECT = 256;
const COMPUTE = 4;

const BINDING_TYPES = [
  'uniform',
  'read-only-storage',
  'read-only-storage',
  'storage',
  'storage',
  'storage',
  'storage',
] as const;

type EntryPoint = (typeof ENTRY_POINTS)[number];
type Pipelines = readonly (readonly [EntryPoint, GPUComputePipeline])[];

/** Makes buffers and pipelines. */
export function createViewPasses(device: GPUDevice, options: ViewPassesOptions): ViewPasses {
  const layout = device.createBindGroupLayout({
    entries: BINDING_TYPES.map((type, binding) => ({ binding, visibility: COMPUTE, buffer: { type } })),
  });
  const pipelines = createPipelines(device, layout, options.format);
  const records = new ArrayBuffer(MAX_VIEWS * VIEW_WORDS * 4);
  const buffers = createBuffers(device, options, records.byteLength);
  const groupFor = bindGroups(device, layout, Object.values(buffers));
  const frame = new ArrayBuffer(FRAME_WORDS * 4);
  new Float32Array(frame).set([...options.normalisation.mean, 0, ...options.normalisation.std], 4);

  return {
    bytes: Object.values(buffers).reduce((sum, { size }) => sum + size, 0),
    records,
    upload: (offset, data) => upload(device.queue, buffers.images, offset, data),
    submit(round, size, output) {
      new Uint32Array(frame, 0, 1)[0] = size;
      device.queue.writeBuffer(buffers.frame, 0, frame);
      device.queue.writeBuffer(buffers.views, 0, records, 0, round.count * VIEW_WORDS * 4);
      const encoder = device.createCommandEncoder({ label: 'augment' });
      encoder.clearBuffer(buffers.lumaSums, 0, round.count * 4);
      const pass = encoder.beginComputePass();
      pass.setBindGroup(0, groupFor(output));
      dispatch(pass, pipelines, round, size);
      pass.end();
      device.queue.submit([encoder.finish()]);
    },
    async warm(output) {
      // no workgroups, by an indirect dispatch, as Dawn warns of a direct one
      const none = device.createBuffer({ label: 'augment no workgroups', size: 16, usage: INDIRECT });
      for (const [, pipeline] of pipelines) {
        const encoder = device.createCommandEncoder({ label: 'augment warm' });
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, groupFor(output));
        pass.dispatchWorkgroupsIndirect(none, 0);
        pass.end();
        device.queue.submit([encoder.finish()]);
        await device.queue.onSubmittedWorkDone();
      }
      none.destroy();
    },
    destroy() {
      for (const held of Object.values(buffers)) held.destroy();
    },
  };
}

function createPipelines(device: GPUDevice, layout: GPUBindGroupLayout, format: 'f32' | 'f16'): Pipelines {
  const module = device.createShaderModule({ label: 'augment', code: gpuKernels(format) });
  const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
  return ENTRY_POINTS.map((entryPoint) => {
    const label = `augment ${entryPoint}`;
    const compute = { module, entryPoint };
    return [entryPoint, device.createComputePipeline({ label, layout: pipelineLayout, compute })] as const;
  });
}

/** The buffers in the order of their bindings; the result's comes last and belongs to others. */
interface Buffers {
  readonly frame: GPUBuffer;
  readonly views: GPUBuffer;
  readonly images: GPUBuffer;
  readonly narrowed: GPUBuffer;
  readonly pixels: GPUBuffer;
  readonly lumaSums: GPUBuffer;
}

function createBuffers(device: GPUDevice, { imageBytes, viewBytes }: ViewPassesOptions, recordBytes: number): Buffers {
  const buffer = (label: string, size: number, usage = STORAGE): GPUBuffer =>
    device.createBuffer({ label: `augment ${label}`, size, usage: usage | COPY_DST });
  return {
    frame: buffer('frame', FRAME_WORDS * 4, UNIFORM),
    views: buffer('views', recordBytes),
    images: buffer('images', imageBytes),
    narrowed: buffer('narrowed', viewBytes),
    pixels: buffer('pixels', viewBytes),
    lumaSums: buffer('luma sums', MAX_VIEWS * 4),
  };
}

/** The bind group of each result buffer, made when it is first asked for. */
function bindGroups(
  device: GPUDevice,
  layout: GPUBindGroupLayout,
  own: readonly GPUBuffer[],
): (output: GPUBuffer) => GPUBindGroup {
  const groups = new WeakMap<GPUBuffer, GPUBindGroup>();
  return (output) => {
    const known = groups.get(output);
    if (known) return known;
    const entries = [...own, output].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const group = device.createBindGroup({ layout, entries });
    groups.set(output, group);
    return group;
  };
}

/** The queue takes whole words, so the last bytes go through a padded copy. */
function upload(queue: GPUQueue, images: GPUBuffer, offset: number, data: Uint8Array): void {
  const whole = data.length & ~3;
  queue.writeBuffer(images, offset, data as Uint8Array<ArrayBuffer>, 0, whole);
  if (whole === data.length) return;
  const tail = new Uint8Array(4);
  tail.set(data.subarray(whole));
  queue.writeBuffer(images, offset + whole, tail);
}

function dispatch(pass: GPUComputePassEncoder, pipelines: Pipelines, round: Round, size: number): void {
  const tiles = Math.ceil(size / TILE);
  const grids: Record<EntryPoint, [x: number, y: number]> = {
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
}
