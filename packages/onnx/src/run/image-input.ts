/** The input of a model: how it takes images, and images made into its tensors. */

import type { ImageBatch } from '@franca/vit';
import { Float16Array } from '@petamoriken/float16';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { OnnxError } from '../errors';
import type { Runtime } from './runtime';

/** An input [B, 3, H, W]. */
export interface ImageInput {
  readonly name: string;
  readonly type: 'float32' | 'float16';
  /** Images that a run takes; undefined: any number. */
  readonly batch: number | undefined;
  /** Side of the images; undefined: any. */
  readonly side: number | undefined;
}

/** What makes other pixels of those that are given: each channel times `scale`, plus `shift`. */
export interface PixelMap {
  readonly scale: readonly [number, number, number];
  readonly shift: readonly [number, number, number];
}

const USUAL = 'models of @franca/onnx take one input of images, f32 or f16 [B, 3, H, W]';

/** @throws OnnxError `model` where the model takes anything else */
export function imageInput(path: string, inputs: readonly InferenceSession.ValueMetadata[]): ImageInput {
  const [first, ...others] = inputs;
  const list = inputs.map((each) =>
    each.isTensor ? `${each.name} ${each.type} [${each.shape.join(', ')}]` : each.name,
  );
  const refuse = (why: string): never => {
    throw new OnnxError('model', `${path}: ${why}; it takes ${list.join(', ')}, and ${USUAL}`);
  };
  if (!first?.isTensor || others.length > 0) return refuse('its inputs are not images alone');
  const { name, type, shape } = first;
  if (type !== 'float32' && type !== 'float16') return refuse(`its images are ${type}`);
  const [batch, channels, rows, columns] = shape;
  if (shape.length !== 4 || (typeof channels === 'number' && channels !== 3))
    return refuse('its input is no colour image with the channels first');
  const fixed = [rows, columns].filter((extent) => typeof extent === 'number');
  if (fixed.length > 0 && rows !== columns) return refuse('its images are not square');
  return { name, type, batch: typeof batch === 'number' ? batch : undefined, side: fixed[0] };
}

/** Images from `first` on, as many as the model takes at a time; those that are missing are zeros. */
export function imageTensor(
  { Tensor: Make }: Pick<Runtime, 'Tensor'>,
  input: ImageInput,
  { data, shape: [B, , H, W] }: ImageBatch,
  { first, pixels }: { readonly first: number; readonly pixels: PixelMap | undefined },
): Tensor {
  const count = input.batch ?? B;
  const plane = H * W;
  const values = new Float32Array(count * 3 * plane);
  values.set(data.subarray(first * 3 * plane, Math.min(B, first + count) * 3 * plane));
  if (pixels)
    for (let at = 0; at < values.length; at++) {
      const channel = Math.floor(at / plane) % 3;
      values[at] = values[at]! * pixels.scale[channel]! + pixels.shift[channel]!;
    }
  const shape = [count, 3, H, W];
  if (input.type === 'float32') return new Make('float32', values, shape);
  return new Make('float16', new Uint16Array(Float16Array.from(values).buffer), shape);
}

/** Values of an output as f32. @throws OnnxError `outputs` for what are no floats */
export function floatsOf(name: string, { type, data }: Pick<Tensor, 'type' | 'data'>): Float32Array {
  if (data instanceof Float32Array) return data;
  if (type === 'float16' && ArrayBuffer.isView(data))
    return Float32Array.from(new Float16Array(data.buffer as ArrayBuffer, data.byteOffset, data.length));
  throw new OnnxError('outputs', `the output ${name} is ${type}; features are f32 or f16`);
}
