/**
 * From a recorded step to a plan, on paper: nothing here touches a device. Nodes are fused into tasks, tasks lowered to kernels, values
 * given addresses. A plan can therefore be made, costed and printed for any adapter's limits without having it.
 */
import { bytesPerElement } from '../base/dtype';
import { TensorError } from '../base/errors';
import { showShape, sizeOf } from '../base/shape';
import type { Target } from '../base/target';
import type { Binding, GraphNode, Kernel, Storage, Tensor } from '../graph/op';
import { reachable } from '../graph/record';
import type { StateLayout } from '../graph/state-layout';
import { elementwiseKernel } from '../kernels/elementwise-program';
import { isScratch } from '../kernels/kernel-builder';
import { isConstant, isInput, isLiteral, isSource, isState, type StateAttrs } from '../ops/sources';
import { fuse, type Task } from './fuse';
import { assignSlots, type Lifetime } from './memory';
import { byteSize, makeReport, type PlanReport } from './report';

export type Place =
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'state'; readonly group: string; readonly buffer: number }
  | { readonly kind: 'batch'; readonly name: string }
  | { readonly kind: 'knobs' }
  | { readonly kind: 'constant'; readonly index: number };

/** Where a value's bytes are. */
export interface Address {
  readonly place: Place;
  /** Bytes from the start of the place's buffer. */
  readonly offset: number;
  readonly bytes: number;
}

export type PlanStep =
  | {
      readonly kind: 'kernel';
      readonly kernel: Kernel;
      readonly addresses: readonly Address[];
      readonly node: GraphNode;
    }
  | { readonly kind: 'copy'; readonly from: Address; readonly to: Address; readonly node: GraphNode };

export interface Plan {
  readonly target: Target;
  readonly steps: readonly PlanStep[];
  readonly slotBytes: readonly number[];
  readonly constants: readonly Tensor[];
  readonly batch: readonly Tensor[];
  /** Knobs and their byte offsets in the knob buffer. */
  readonly knobs: readonly { readonly tensor: Tensor; readonly offset: number }[];
  readonly knobBytes: number;
  readonly outputs: Readonly<Record<string, { readonly tensor: Tensor; readonly address: Address }>>;
  readonly report: PlanReport;
  readonly nodes: readonly GraphNode[];
}

export interface PlanInput {
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Nodes that update state, kept whether or not an output depends on them. */
  readonly effects: readonly GraphNode[];
  readonly state: StateLayout;
  readonly target: Target;
  /** Fuse elementwise chains (default true). Off: one kernel per op, for debugging and tests. */
  readonly fusion?: boolean;
  /** Let values whose lives do not overlap share memory (default true). */
  readonly shareSlots?: boolean;
}

const ALIGNMENT = 256;
const align = (bytes: number, to = ALIGNMENT): number => Math.ceil(bytes / to) * to;

interface Draft {
  readonly kernel?: Kernel;
  readonly copy?: { readonly from: Tensor; readonly to: Tensor; readonly toOffset: number };
  /** The op that finishes here, and all ops that the kernel computes. */
  readonly node: GraphNode;
  readonly members: readonly GraphNode[];
}

/** The nodes that a plan will run. */
export const recordedNodes = ({ outputs, effects }: Pick<PlanInput, 'outputs' | 'effects'>): GraphNode[] =>
  reachable([...Object.values(outputs), ...effects.flatMap((node) => node.outputs)]);

export function makePlan({ outputs, effects, state, target, fusion = true, shareSlots = true }: PlanInput): Plan {
  const nodes = recordedNodes({ outputs, effects });
  const tasks = fuse(nodes, Object.values(outputs), target.maxStorageBuffers, fusion);
  const drafts: Draft[] = [];
  for (const task of tasks) {
    const { root } = task;
    if (root?.op.copies)
      for (const { from, into, offset } of root.op.copies(root.attrs))
        drafts.push({
          node: root,
          members: task.nodes,
          copy: { from: root.inputs[from]!, to: root.inputs[into]!, toOffset: offset },
        });
    else
      for (const kernel of lowerTask(task, target))
        drafts.push({ kernel, node: task.nodes.at(-1)!, members: task.nodes });
  }
  return address(drafts, nodes, { outputs, state, target, shareSlots });
}

function lowerTask(task: Task, target: Target): readonly Kernel[] {
  const node = task.nodes.at(-1)!;
  if (node.outputs.every((output) => sizeOf(output.shape) === 0)) return [];
  if (!task.root)
    return [elementwiseKernel(task.nodes.map((member) => member.op.name).join('+'), task.program!, target)];
  const { inputs, outputs, attrs, op } = task.root;
  if (!op.lower) throw new TensorError('argument', `op ${op.name} has no kernel`);
  const kernels = op.lower({ inputs, outputs, attrs, target, ...(task.program ? { epilogue: task.program } : {}) });
  if (task.nodes.length === 1) return kernels;
  const label = task.nodes.map((member) => member.op.name).join('+');
  return kernels.map((kernel) => (kernel.label === op.name ? { ...kernel, label } : kernel));
}

/** The tensor that owns a storage's bytes, and the element offset into it: views and updates lead back to what they alias. */
function ownerOf(tensor: Tensor): { owner: Tensor; offset: number; updates: readonly GraphNode[] } {
  let owner = tensor;
  let offset = 0;
  const updates: GraphNode[] = [];
  for (;;) {
    const { op, inputs, attrs } = owner.node;
    if (op.view) {
      offset += op.view(attrs).offset;
      owner = inputs[0]!;
    } else if (op.mutates) {
      updates.push(owner.node);
      owner = inputs[op.mutates[owner.index]!]!;
    } else return { owner, offset, updates };
  }
}

function address(
  drafts: readonly Draft[],
  nodes: readonly GraphNode[],
  { outputs, state, target, shareSlots }: Omit<Required<PlanInput>, 'effects' | 'fusion'>,
): Plan {
  const direct = placeStoredValues(drafts, outputs);
  const steps = drafts.filter(
    (draft) => !(draft.copy && direct.get(ownerOf(draft.copy.from).owner)?.copy === draft.copy),
  );

  // lifetimes of everything that needs a slot
  const lives = new Map<Storage, { first: number; last: number }>();
  const touch = (storage: Storage, step: number): void => {
    const owner = isScratch(storage) ? storage : ownerOf(storage).owner;
    if (!isScratch(owner) && (isSource(owner.node) || direct.has(owner))) return;
    const life = lives.get(owner);
    if (life) life.last = step;
    else lives.set(owner, { first: step, last: step });
  };
  steps.forEach((draft, step) => {
    for (const binding of bindingsOf(draft)) touch(binding.tensor, step);
  });
  for (const tensor of Object.values(outputs)) touch(tensor, steps.length);
  const stored = [...lives.keys()];
  const lifetimes: Lifetime[] = stored.map((storage) => ({ bytes: align(byteSize(storage)), ...lives.get(storage)! }));
  const { slots, slotBytes } = assignSlots(
    shareSlots ? lifetimes : lifetimes.map((life) => ({ ...life, first: 0, last: steps.length })),
  );
  const slotOf = new Map(stored.map((storage, i) => [storage, slots[i]!]));

  const bound = new Set(
    [
      ...steps.flatMap((draft) => bindingsOf(draft).map((binding) => binding.tensor)),
      ...Object.values(outputs),
    ].flatMap((storage) => (isScratch(storage) ? [] : [ownerOf(storage).owner])),
  );
  const constants = nodes
    .filter((node) => isConstant(node) && (!isLiteral(node) || bound.has(node.outputs[0]!)))
    .map((node) => node.outputs[0]!);
  const inputs = nodes.filter(isInput);
  const batch = inputs.filter((node) => node.attrs.kind === 'batch').map((node) => node.outputs[0]!);
  let knobBytes = 0;
  const knobs = inputs
    .filter((node) => node.attrs.kind === 'knob')
    .map((node) => {
      const knob = { tensor: node.outputs[0]!, offset: knobBytes };
      knobBytes += align(byteSize(knob.tensor));
      return knob;
    });

  function locate(storage: Storage): Address {
    const bytes = byteSize(storage);
    if (isScratch(storage)) return { place: { kind: 'slot', slot: slotOf.get(storage)! }, offset: 0, bytes };
    const { owner, offset } = ownerOf(storage);
    const shift = offset * bytesPerElement[storage.dtype];
    const home = direct.get(owner);
    if (home) {
      const base = locate(home.copy.to);
      return {
        place: base.place,
        offset: base.offset + home.copy.toOffset * bytesPerElement[owner.dtype] + shift,
        bytes,
      };
    }
    if (isState(owner.node)) {
      const { attrs } = owner.node;
      return {
        place: { kind: 'state', group: attrs.group, buffer: attrs.buffer },
        offset: attrs.offset * bytesPerElement[attrs.dtype] + shift,
        bytes,
      };
    }
    if (isConstant(owner.node))
      return { place: { kind: 'constant', index: constants.indexOf(owner) }, offset: shift, bytes };
    if (isInput(owner.node)) {
      const { attrs } = owner.node;
      const knob = knobs.find((entry) => entry.tensor === owner);
      return knob
        ? { place: { kind: 'knobs' }, offset: knob.offset + shift, bytes }
        : { place: { kind: 'batch', name: attrs.name }, offset: shift, bytes };
    }
    const slot = slotOf.get(owner);
    if (slot === undefined)
      throw new TensorError('argument', `internal: ${owner.node.op.name} ${showShape(owner.shape)} has no address`);
    return { place: { kind: 'slot', slot }, offset: shift, bytes };
  }

  const planned = steps.map((draft): PlanStep => {
    if (draft.kernel)
      return {
        kind: 'kernel',
        kernel: draft.kernel,
        addresses: draft.kernel.bindings.map((binding) => locate(binding.tensor)),
        node: draft.node,
      };
    const { from, to, toOffset } = draft.copy!;
    const base = locate(to);
    // to the element: what lies behind a segment must stay zero
    const source = { ...locate(from), bytes: sizeOf(from.shape) * bytesPerElement[from.dtype] };
    return {
      kind: 'copy',
      from: source,
      to: { ...base, offset: base.offset + toOffset * bytesPerElement[to.dtype], bytes: source.bytes },
      node: draft.node,
    };
  });
  checkUpdateOrder(steps, nodes);
  checkBindings(planned, target);

  return {
    target,
    steps: planned,
    slotBytes,
    constants,
    batch,
    knobs,
    knobBytes,
    nodes,
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, tensor]) => [name, { tensor, address: locate(tensor) }]),
    ),
    report: makeReport({ planned, lifetimes, stored, slotBytes, state, constants, batch, knobBytes, target }),
  };
}

function bindingsOf(draft: Draft): readonly Binding[] {
  if (draft.kernel) return draft.kernel.bindings;
  return [
    { tensor: draft.copy!.from, access: 'read' },
    { tensor: draft.copy!.to, access: 'read_write' },
  ];
}

/**
 * Values that are only computed to be stored in a group are written there by the kernel that makes them, unless that kernel reads the
 * same buffer (one dispatch may not read and write one buffer) or the value is needed under another address.
 */
function placeStoredValues(
  drafts: readonly Draft[],
  outputs: Readonly<Record<string, Tensor>>,
): Map<Tensor, { copy: NonNullable<Draft['copy']> }> {
  const direct = new Map<Tensor, { copy: NonNullable<Draft['copy']> }>();
  const touching = new Map<Tensor, Draft[]>();
  for (const draft of drafts) {
    for (const { tensor } of bindingsOf(draft)) {
      if (isScratch(tensor)) continue;
      const { owner } = ownerOf(tensor);
      const list = touching.get(owner);
      if (list) list.push(draft);
      else touching.set(owner, [draft]);
    }
  }
  const kept = new Set(Object.values(outputs).map((tensor) => ownerOf(tensor).owner));
  const bufferOf = (tensor: Tensor): string | undefined => {
    const { owner } = ownerOf(tensor);
    const home = direct.get(owner)?.copy.to;
    const node = (home ? ownerOf(home).owner : owner).node;
    return isState(node) ? `${node.attrs.group}/${node.attrs.buffer}` : undefined;
  };
  for (const draft of drafts) {
    const copy = draft.copy;
    if (!copy) continue;
    const { owner, offset } = ownerOf(copy.from);
    if (
      offset !== 0 ||
      isSource(owner.node) ||
      direct.has(owner) ||
      kept.has(owner) ||
      sizeOf(owner.shape) !== sizeOf(copy.from.shape)
    )
      continue;
    const destination = bufferOf(copy.to)!;
    const clash = touching.get(owner)!.some(
      (other) =>
        other !== draft &&
        bindingsOf(other).some(
          ({ tensor, access }) =>
            !isScratch(tensor) &&
            ownerOf(tensor).owner !== owner &&
            bufferOf(tensor) === destination &&
            // two values of one kernel may be written to disjoint places of one buffer
            !(access === 'read_write' && direct.has(ownerOf(tensor).owner)),
        ),
    );
    if (!clash) direct.set(owner, { copy });
  }
  return direct;
}

/** A state tensor must not be read under its old name after an update of the same bytes. */
function checkUpdateOrder(steps: readonly Draft[], nodes: readonly GraphNode[]): void {
  const rangeOf = (tensor: Tensor) => {
    const { owner, offset, updates } = ownerOf(tensor);
    const { group, buffer, name, offset: start } = owner.node.attrs as StateAttrs;
    return {
      key: `${group}/${buffer}`,
      name: `${group}/${name}`,
      first: start + offset,
      end: start + offset + sizeOf(tensor.shape),
      updates,
    };
  };
  const lies = (tensor: Tensor): boolean => isState(ownerOf(tensor).owner.node);
  const updates = nodes.flatMap((node) =>
    (node.op.mutates ?? []).map((input) => ({ node, range: rangeOf(node.inputs[input]!) })),
  );
  if (updates.length === 0) return;
  for (const draft of steps) {
    for (const { tensor } of bindingsOf(draft)) {
      if (isScratch(tensor) || !lies(tensor)) continue;
      const range = rangeOf(tensor);
      const latest = updates.findLast(
        ({ node, range: other }) =>
          node.id < draft.node.id &&
          !draft.members.includes(node) &&
          other.key === range.key &&
          other.first < range.end &&
          range.first < other.end,
      );
      if (latest && !range.updates.includes(latest.node)) {
        throw new TensorError(
          'state',
          `"${range.name}" is used at ${draft.node.site} after its update at ${latest.node.site}; use the tensor that the update returned`,
        );
      }
    }
  }
}

function checkBindings(steps: readonly PlanStep[], target: Target): void {
  for (const step of steps) {
    if (step.kind !== 'kernel') continue;
    const tooLarge = step.addresses.findIndex(({ bytes }) => bytes > target.maxBindingBytes);
    if (tooLarge >= 0) {
      const tensor = step.kernel.bindings[tooLarge]!.tensor;
      throw new TensorError(
        'binding-limit',
        `${step.kernel.label} at ${step.node.site} binds ${tensor.dtype} ${showShape(tensor.shape)}, ${step.addresses[tooLarge]!.bytes} bytes; the adapter binds at most ${target.maxBindingBytes}. Work on slices of it`,
      );
    }
    if (step.addresses.length > target.maxStorageBuffers) {
      throw new TensorError(
        'binding-limit',
        `${step.kernel.label} binds ${step.addresses.length} buffers, the adapter allows ${target.maxStorageBuffers}`,
      );
    }
  }
}
