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

export interface InputWriter {
  /**
   * Writes what is given; what is left out keeps its last contents. Throws `TensorError`: `argument` for an unknown name and for what was never given,
   * `shape` for a wrong number of values. Nothing is written then.
   */
  write(
    batch: Readonly<Record<string, ArrayLike<number> | undefined>>,
    knobs: Readonly<Record<string, Values | undefined>>,
  ): void;
  /** The first value of a knob, as it was last written. */
  knob(name: string): number;
  /** A batch input is filled by other means. */
  given(name: string): void;
}

export function inputWriter(
  { queue }: GPUDevice,
  plan: Plan,
  buffers: PlanBuffers,
  { batch: batchNames = {}, knobs: knobNames = {} }: InputNames,
): InputWriter {
  const batchInputs = new Map(plan.batch.map((own) => [own.name, own]));
  const knobInputs = new Map(plan.knobs.map((own) => [own.name, own]));
  const knobData = new Float32Array(plan.knobBytes / 4);
  const missing = { input: new Set(batchInputs.keys()), knob: new Set(knobInputs.keys()) };

  function check(
    batch: Readonly<Record<string, ArrayLike<number> | undefined>>,
    knobs: Readonly<Record<string, Values | undefined>>,
  ): void {
    const lengthOf = (value: Values) => (typeof value === 'number' ? 1 : value.length);
    checkValues('input', batch, batchInputs, batchNames, lengthOf);
    checkValues('knob', knobs, knobInputs, knobNames, lengthOf);
    const never = [
      ...[...missing.input].filter((name) => batch[name] === undefined).map((name) => `input "${name}"`),
      ...[...missing.knob].filter((name) => knobs[name] === undefined).map((name) => `knob "${name}"`),
    ];
    if (never.length > 0)
      throw new TensorError(
        'argument',
        `${never.join(', ')} ${never.length > 1 ? 'were' : 'was'} never given; the first run needs every input and knob, later ones keep what is left out`,
      );
  }

  return {
    knob: (name) => knobData[knobInputs.get(name)!.offset / 4]!,
    given: (name) => missing.input.delete(name),
    write(batch, knobs) {
      check(batch, knobs);
      for (const { name, tensor } of plan.batch) {
        const values = batch[name];
        if (values) queue.writeBuffer(buffers.batch.get(name)!, 0, inputBytes(values, tensor.dtype));
      }
      for (const { name, offset } of plan.knobs) {
        const value = knobs[name];
        if (value !== undefined) knobData.set(typeof value === 'number' ? [value] : value, offset / 4);
      }
      if (buffers.knobs) queue.writeBuffer(buffers.knobs, 0, knobData);
      missing.input.clear();
      missing.knob.clear();
    },
  };
}

/** `used` is what the step uses of `declared`: values of the rest are looked at no further. */
function checkValues<V>(
  kind: 'input' | 'knob',
  given: Readonly<Record<string, V | undefined>>,
  used: ReadonlyMap<string, { readonly tensor: Tensor }>,
  declared: Readonly<Record<string, unknown>>,
  lengthOf: (value: V) => number,
): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const own = used.get(name);
    if (!own && !(name in declared))
      throw new TensorError('argument', `no ${kind} "${name}"; ${kind}s are ${Object.keys(declared).join(', ')}`);
    if (own) checkLength(kind, name, own.tensor, lengthOf(value));
  }
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
