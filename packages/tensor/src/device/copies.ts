/**
 * Groups that hold copies of others (`copiesOf`) are made anew, on the device, before the next run after their originals were written, copied to, or updated by a
 * step that leaves the copies alone. So whoever sets weights need not know of copies, and they are rounded by the same instruction wherever they come from.
 */
import { sizeOf } from '../base/shape';
import { recordStep } from '../graph/record';
import type { StateLayout } from '../graph/state-layout';
import { assign, groupTensors } from '../ops/assign';
import { cast } from '../ops/elementwise';
import { sliceAxis } from '../ops/slice';
import { makePlan } from '../plan/plan';
import type { Plan, PlanStep } from '../plan/plan-types';
import { bufferLookup, createBuffers } from './buffers';
import { type EncodeSteps, planEncoder } from './encoder';
import type { Gpu } from './gpu';

/** The copies of a state. */
export interface Copies {
  /** Their originals change, and they do not. */
  outdate(): void;
  /** Compiles what makes them; to be awaited before `update`. */
  prepare(): Promise<void>;
  /** Makes them anew if they are outdated. */
  update(): void;
  /** Destroys what `prepare` made. */
  dispose(): void;
}

const COPIES = new WeakMap<object, Copies>();

/** The copies of the state with these buffers; undefined where it has none. */
export const copiesOfState = (buffers: object | undefined): Copies | undefined => buffers && COPIES.get(buffers);

/** Whether a run of the plan updates tensors of a group and not the copies of it. */
export function outdatesCopies({ steps }: Pick<Plan, 'steps'>, layout: StateLayout): boolean {
  const updated = new Set(steps.flatMap(groupsUpdated));
  return Object.entries(layout).some(
    ([group, { copyOf }]) => copyOf !== undefined && updated.has(copyOf) && !updated.has(group),
  );
}

function groupsUpdated(step: PlanStep): string[] {
  if (step.kind === 'send') return [];
  const written =
    step.kind === 'kernel'
      ? step.addresses.filter((_, i) => step.kernel.bindings[i]!.access === 'read_write')
      : [step.kind === 'copy' ? step.to : step.exchange.to];
  return written.flatMap(({ place }) => (place.kind === 'state' ? [place.group] : []));
}

/** Keeps the copies in a state of this layout, if there are any. */
export function keepCopies(gpu: Gpu, layout: StateLayout, buffers: Readonly<Record<string, GPUBuffer[]>>): void {
  if (Object.values(layout).every(({ copyOf }) => copyOf === undefined)) return;
  // zeros are copies of zeros
  let isOutdated = false;
  let prepared: Promise<Maker> | undefined;
  let maker: Maker | undefined;
  COPIES.set(buffers, {
    outdate() {
      isOutdated = true;
    },
    async prepare() {
      prepared ??= makerOf(gpu, layout, buffers);
      maker = await prepared;
    },
    update() {
      if (!isOutdated) return;
      maker!.make();
      isOutdated = false;
    },
    dispose() {
      for (const buffer of maker?.buffers ?? []) gpu.destroyBuffer(buffer);
    },
  });
}

interface Maker {
  readonly make: () => void;
  readonly buffers: readonly GPUBuffer[];
}

async function makerOf(gpu: Gpu, layout: StateLayout, state: Readonly<Record<string, GPUBuffer[]>>): Promise<Maker> {
  const { effects } = recordStep(() => recordCasts(layout));
  const plan = makePlan({ outputs: {}, effects, state: layout, target: gpu.target });
  const buffers = createBuffers(gpu, plan, 'what makes copies of state');
  const { encode }: { readonly encode: EncodeSteps } = await planEncoder(
    gpu,
    plan,
    buffers,
    bufferLookup(buffers, state),
  );
  const make = (): void => {
    const encoder = gpu.device.createCommandEncoder();
    encode(encoder, 0, plan.steps.length);
    gpu.device.queue.submit([encoder.finish()]);
  };
  return { make, buffers: buffers.all };
}

function recordCasts(layout: StateLayout): void {
  for (const [group, own] of Object.entries(layout)) {
    if (own.copyOf === undefined) continue;
    const originals = groupTensors(own.copyOf, layout[own.copyOf]!).windows;
    groupTensors(group, own).windows.forEach((copy, i) => {
      assign(copy, cast(sliceAxis(originals[i]!, 0, 0, sizeOf(copy.shape)), copy.dtype));
    });
  }
}
