/** Writes the inputs of a run where its kernels read them: a buffer each, and one upload for all knobs. */
import { type DType, encode } from '../base/dtype';
import { TensorError } from '../base/errors';
import { showShape, sizeOf } from '../base/shape';
import type { Tensor } from '../graph/op';
import type { Plan } from '../plan/plan-types';
import type { PlanBuffers } from './buffers';

/** Values of a knob. */
export type Values = ArrayLike<number> | number;

export interface InputNames {
  /** What a run may be given, whether or not the step uses it. */
  readonly batch?: Readonly<Record<string, unknown>>;
  readonly knobs?: Readonly<Record<string, unknown>>;
}

export type WriteInputs = (
  batch: Readonly<Record<string, ArrayLike<number> | undefined>>,
  knobs: Readonly<Record<string, Values | undefined>>,
) => void;

/** What is left out keeps its last contents. Throws `TensorError`: `argument` for an unknown name, `shape` for a wrong number of values. */
export function inputWriter(
  { queue }: GPUDevice,
  plan: Plan,
  buffers: PlanBuffers,
  { batch: batchNames = {}, knobs: knobNames = {} }: InputNames,
): WriteInputs {
  const batchInputs = new Map(plan.batch.map((own) => [own.name, own]));
  const knobInputs = new Map(plan.knobs.map((own) => [own.name, own]));
  const knobData = new Float32Array(plan.knobBytes / 4);
  return (batch, knobs) => {
    for (const [name, values] of Object.entries(batch)) {
      const input = batchInputs.get(name);
      if (!values || (!input && name in batchNames)) continue;
      if (!input)
        throw new TensorError('argument', `no batch input "${name}"; inputs are ${Object.keys(batchNames).join(', ')}`);
      checkLength('input', name, input.tensor, values.length);
      queue.writeBuffer(buffers.batch.get(name)!, 0, inputBytes(values, input.tensor.dtype));
    }
    for (const [name, value] of Object.entries(knobs)) {
      const knob = knobInputs.get(name);
      if (value === undefined || (!knob && name in knobNames)) continue;
      if (!knob) throw new TensorError('argument', `no knob "${name}"; knobs are ${Object.keys(knobNames).join(', ')}`);
      const list = typeof value === 'number' ? [value] : value;
      checkLength('knob', name, knob.tensor, list.length);
      knobData.set(list, knob.offset / 4);
    }
    if (buffers.knobs) queue.writeBuffer(buffers.knobs, 0, knobData);
  };
}

function checkLength(kind: 'input' | 'knob', name: string, { shape }: Tensor, length: number): void {
  if (length !== sizeOf(shape))
    throw new TensorError('shape', `${kind} "${name}" has shape ${showShape(shape)}, but ${length} values were given`);
}

function inputBytes(values: ArrayLike<number>, dtype: DType): Uint8Array<ArrayBuffer> {
  const direct =
    (dtype === 'f32' && values instanceof Float32Array) ||
    (dtype === 'i32' && values instanceof Int32Array) ||
    (dtype === 'u32' && values instanceof Uint32Array);
  if (direct && values.buffer instanceof ArrayBuffer)
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return encode(values, dtype);
}
