/**
 * Where state lives: groups of named tensors in few flat buffers. A group holds student weights, Adam moments, gradients, ... Segments
 * start at multiples of 128 elements, so groups with the same names and shapes have the same element offsets whatever their type: one fused
 * kernel can walk weights, moments and gradients side by side. A window is a stretch of a buffer that fits one binding.
 *
 * A group may hold copies of another's tensors in a smaller type, for products to read. It copies the first ones in their order, as many as it likes, so that
 * its windows too lie beside those of its originals: each holds as much of the beginning of theirs as is copied.
 */
import { checkSpec } from '../base/check-spec';
import { BYTES_PER_ELEMENT, type DType } from '../base/dtype';
import { TensorError } from '../base/errors';
import { sameShape, sizeOf } from '../base/shape';
import type { Target } from '../base/target';
import { roundUp } from '../base/whole-numbers';
import type { Spec } from './op';

/** Elements between possible segment starts: 256 bytes of f16, 512 of f32. */
export const SEGMENT_ALIGNMENT = 128;

/** What a tensor of state is. */
export interface StateTensorSpec extends Spec {
  /** The group whose tensor of the same name this one always holds, in its own type. */
  readonly copyOf?: string;
}

export interface Segment extends Spec {
  readonly buffer: number;
  /** Elements from the start of the buffer. */
  readonly offset: number;
}

export interface Window {
  readonly buffer: number;
  readonly offset: number;
  readonly elements: number;
}

export interface GroupLayout<N extends string = string> {
  readonly dtype: DType;
  /** The group of the originals, where this one holds copies. */
  readonly copyOf: string | undefined;
  /** Elements in each buffer. */
  readonly buffers: readonly number[];
  readonly segments: Readonly<Record<N, Segment>>;
  readonly windows: readonly Window[];
  readonly bytes: number;
}

/** Tensors of one group by name; all have the same dtype. */
export type GroupSpec<N extends string = string> = Readonly<Record<N, StateTensorSpec>>;
/** Groups of state by name. */
export type StateSpec = Readonly<Record<string, GroupSpec>>;
/** Names of the groups, and of the tensors of a group. */
export type GroupName<G extends StateSpec> = keyof G & string;
export type TensorName<G extends StateSpec, Group extends keyof G> = keyof G[Group] & string;
export type StateLayout<G extends StateSpec = StateSpec> = {
  readonly [group in keyof G]: GroupLayout<TensorName<G, group>>;
};

function layoutGroup(
  name: string,
  specs: GroupSpec,
  target: Pick<Target, 'maxBindingBytes' | 'maxBufferBytes'>,
): GroupLayout {
  const entries = Object.entries(specs);
  const { dtype = 'f32', copyOf } = entries[0]?.[1] ?? {};
  const elementBytes = BYTES_PER_ELEMENT[dtype];
  // Sized as if every element took 4 bytes, so that f16 copies split where their f32 masters do.
  const capacity = Math.floor(target.maxBufferBytes / 4 / SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT;
  const buffers: number[] = [];
  const segments: Record<string, Segment> = {};
  for (const [key, spec] of entries) {
    checkSpec(`"${key}" of group "${name}"`, spec);
    if (spec.dtype !== dtype)
      throw new TensorError(
        'state',
        `group "${name}" holds ${dtype}, but "${key}" is ${spec.dtype}; put it into a group of its own`,
      );
    if (spec.copyOf !== copyOf)
      throw new TensorError('state', `group "${name}" holds copies of ${copyOf}, but "${key}" of ${spec.copyOf}`);
    const elements = roundUp(Math.max(sizeOf(spec.shape), 1), SEGMENT_ALIGNMENT);
    if (elements > capacity)
      throw new TensorError(
        'binding-limit',
        `"${key}" of group "${name}" has ${elements} elements, the adapter's largest buffer holds ${capacity}`,
      );
    if (buffers.length === 0 || buffers.at(-1)! + elements > capacity) buffers.push(0);
    const buffer = buffers.length - 1;
    segments[key] = { shape: spec.shape, dtype, buffer, offset: buffers[buffer]! };
    buffers[buffer]! += elements;
  }
  const perWindow = Math.floor(target.maxBindingBytes / 4 / SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT;
  const windows = buffers.flatMap((elements, buffer) => {
    const count = Math.ceil(elements / perWindow);
    return Array.from({ length: count }, (_, i) => ({
      buffer,
      offset: i * perWindow,
      elements: Math.min(perWindow, elements - i * perWindow),
    }));
  });
  return {
    dtype,
    copyOf,
    buffers,
    segments,
    windows,
    bytes: buffers.reduce((sum, elements) => sum + elements * elementBytes, 0),
  };
}

/**
 * The group that holds copies of `specs`, tensors of `group`. They are made anew before a run whenever these have changed otherwise than by a step that
 * updates both.
 */
export const copiesOf = <N extends string>(group: string, specs: GroupSpec<N>, dtype: DType = 'f16'): GroupSpec<N> =>
  Object.fromEntries(
    Object.entries<Spec>(specs).map(([name, { shape }]) => [name, { shape, dtype, copyOf: group }]),
  ) as GroupSpec<N>;

/**
 * Lays groups out. Throws `TensorError`: `dtype`, `shape`, `state` for a group of several types and for copies that are not the first tensors of their group,
 * `binding-limit` for a tensor that is too large.
 */
export function layoutState<G extends StateSpec>(
  groups: G,
  target: Pick<Target, 'maxBindingBytes' | 'maxBufferBytes'>,
): StateLayout<G> {
  const layouts = Object.fromEntries(
    Object.entries(groups).map(([name, specs]) => [name, layoutGroup(name, specs, target)]),
  );
  for (const [name, group] of Object.entries(layouts))
    if (group.copyOf !== undefined) checkCopies(name, group, layouts[group.copyOf]);
  return layouts as StateLayout<G>;
}

function checkCopies(name: string, { copyOf, segments }: GroupLayout, originals: GroupLayout | undefined): void {
  const firsts = Object.entries(originals?.segments ?? {});
  Object.entries(segments).forEach(([key, { shape }], i) => {
    const [first, original] = firsts[i] ?? [];
    if (first !== key || !sameShape(original!.shape, shape))
      throw new TensorError(
        'state',
        `group "${name}" holds copies of "${copyOf}", the first tensors of it in their order; "${key}" is not the next of them`,
      );
  });
}
