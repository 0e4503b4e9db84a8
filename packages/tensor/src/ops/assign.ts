/**
 * Updates of state: one tensor, or a whole group by name. A step is pure but for these: `assign` overwrites a state tensor, and `store` a
 * whole group by name. Each returns the tensor to use from there on; reading the old one after its update is an error when the step is
 * compiled.
 */
import { BYTES_PER_ELEMENT } from '../base/dtype';
import { opError } from '../base/errors';
import { sameShape, showShape, sizeOf } from '../base/shape';
import { BINDING_ALIGNMENT } from '../base/target';
import type { Op, Tensor } from '../graph/op';
import { record, record1 } from '../graph/record';
import type { GroupLayout, Segment, StateSpec, TensorName } from '../graph/state-layout';
import { concatenatedRows } from './concat';
import { mul } from './elementwise';
import { isState, state } from './sources';

const assignOp: Op<object> = {
  name: 'assign',
  infer([old, value]) {
    if (!sameShape(old!.shape, value!.shape) || old!.dtype !== value!.dtype) {
      opError(
        'shape',
        'assign',
        `cannot put ${value!.dtype} ${showShape(value!.shape)} into ${old!.dtype} ${showShape(old!.shape)}`,
      );
    }
    return [old!];
  },
  reference: ([, value]) => [value!.data],
  expression: ([, value]) => value!,
  mutates: [0],
};

/** Overwrites the state `old` with `value`; returns the updated tensor. */
export const assign = (old: Tensor, value: Tensor): Tensor => record1(assignOp, [old, value], {});

interface StoreAttrs {
  /** Element offset of each value in the group's buffers, and which output (window) holds it. */
  readonly places: readonly { readonly window: number; readonly offset: number }[];
}

const storeOp: Op<StoreAttrs> = {
  name: 'store',
  infer: (inputs, { places }) => inputs.slice(places.length),
  reference(inputs, { places }, outputs) {
    const data = outputs.map((_, i) => inputs[places.length + i]!.data.slice());
    places.forEach(({ window, offset }, i) => {
      let [at, first] = [window, offset];
      for (const value of inputs[i]!.data) {
        // a value may run on into the next windows of its buffer
        while (first === data[at]!.length) [at, first] = [at + 1, 0];
        data[at]![first++] = value;
      }
    });
    return data;
  },
  copies: ({ places }) => places.map(({ window, offset }, i) => ({ from: i, into: places.length + window, offset })),
};

/** State tensors of one group as a step sees them. */
export interface GroupTensors<N extends string = string> {
  /** Of the group. */
  readonly name: string;
  /** By name. */
  readonly tensors: Readonly<Record<N, Tensor>>;
  /** The group as flat stretches `[elements]`, each within one binding; segments start at multiples of 128 elements. */
  readonly windows: readonly Tensor[];
  readonly layout: GroupLayout<N>;
}

/** The groups of a state as a step sees them. */
export type StateTensors<G extends StateSpec = StateSpec> = {
  readonly [group in keyof G]: GroupTensors<TensorName<G, group>>;
};

/** Records the state tensors of a group. */
export function groupTensors<N extends string>(group: string, layout: GroupLayout<N>): GroupTensors<N> {
  const { dtype, segments, windows } = layout;
  return {
    name: group,
    layout,
    tensors: Object.fromEntries(
      Object.entries<Segment>(segments).map(([name, { buffer, offset, shape }]) => [
        name,
        state({ group, name, buffer, offset, shape, dtype }),
      ]),
    ) as Record<N, Tensor>,
    windows: windows.map(({ buffer, offset, elements }, i) =>
      state({ group, name: `window ${i}`, buffer, offset, shape: [elements], dtype }),
    ),
  };
}

/**
 * Stores values by name into a group (gradients, say) and returns its windows, for a fused kernel to walk. Where the compiler can, the
 * kernel that computes a value writes it straight into the group. Names of the group that get no value keep what they hold.
 */
export function store<N extends string>(
  group: GroupTensors<N>,
  values: { readonly [name in NoInfer<N>]?: Tensor },
): readonly Tensor[] {
  if (!group?.layout) opError('argument', 'store', 'needs a group of the state, as the step function gets it');
  const segments: Readonly<Record<string, Segment>> = group.layout.segments;
  const pieces = Object.entries<Tensor | undefined>(values).flatMap(([name, given]) => {
    if (!given) return [];
    // WebGPU copies between two buffers only, so a value out of the group itself goes through one of its own
    const value = isPartOf(given, group) ? mul(given, 1) : given;
    const segment = segments[name] ?? opError('argument', 'store', `the group has no tensor "${name}"`);
    if (!sameShape(segment.shape, value.shape) || segment.dtype !== value.dtype) {
      opError(
        'shape',
        'store',
        `"${name}" is ${segment.dtype} ${showShape(segment.shape)}, the value ${value.dtype} ${showShape(value.shape)}`,
      );
    }
    return partsInPlace(value).map(({ part, offset }) => ({ part, place: placeOf(group.layout, segment, offset) }));
  });
  const op: Op<StoreAttrs> = { ...storeOp, mutates: group.windows.map((_, i) => pieces.length + i) };
  return record(op, [...pieces.map(({ part }) => part), ...group.windows], {
    places: pieces.map(({ place }) => place),
  });
}

/** Whether the bytes of `value` lie in the buffers of `group`. */
function isPartOf(value: Tensor, group: GroupTensors): boolean {
  let { node, index } = value;
  while (node.op.view || node.op.mutates) ({ node, index } = node.inputs[node.op.mutates?.[index] ?? 0]!);
  const window = group.windows[0]?.node;
  return window !== undefined && isState(node) && isState(window) && node.attrs.group === window.attrs.group;
}

/** Window and offset in it of element `offset` of a segment. */
function placeOf({ windows }: GroupLayout, segment: Segment, offset: number): StoreAttrs['places'][number] {
  const start = segment.offset + offset;
  const window = windows.findIndex((w) => w.buffer === segment.buffer && start < w.offset + w.elements);
  return { window, offset: start - windows[window]!.offset };
}

/** A value that is rows put one after the other is stored part by part, each where it belongs, without ever being whole. */
function partsInPlace(value: Tensor): { part: Tensor; offset: number }[] {
  let offset = 0;
  const parts = concatenatedRows(value).map((part) => {
    const at = offset;
    offset += sizeOf(part.shape);
    return { part, offset: at };
  });
  const aligned = parts.every((part) => (part.offset * BYTES_PER_ELEMENT[value.dtype]) % BINDING_ALIGNMENT === 0);
  return aligned ? parts : [{ part: value, offset: 0 }];
}
