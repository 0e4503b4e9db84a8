/**
 * From a recorded step to a plan, on paper: nothing here touches a device. Nodes are fused into tasks, tasks lowered to kernels, values
 * given addresses. A plan can therefore be made, costed and printed for any adapter's limits without having it.
 */
import type { GraphNode } from '../graph/op';
import { reachable } from '../graph/record';
import { addresses, addressSteps } from './addresses';
import { checkBindings, checkUpdateOrder } from './checks';
import { beginColumnSums } from './column-sums';
import { draftSteps } from './draft';
import { fuse } from './fuse';
import { givenValues } from './given-values';
import { overlapExchanges } from './overlap';
import { ownerOf } from './owner';
import type { Plan, PlanInput } from './plan-types';
import { makeReport } from './report';
import { planSlots } from './slots';
import { placeStoredValues } from './stored-values';

/** The nodes that a plan will run. */
export const recordedNodes = ({ outputs, effects }: Pick<PlanInput, 'outputs' | 'effects'>): GraphNode[] =>
  reachable([...Object.values(outputs), ...effects.flatMap((node) => node.outputs)]);

/** Throws `TensorError` with code `state` or `binding-limit`. */
export function makePlan(input: PlanInput): Plan {
  const { outputs, effects, state, target, fusion = true, shareSlots = true, overlap = true } = input;
  const nodes = recordedNodes({ outputs, effects });
  const kept = Object.values(outputs);
  const fused = fuse(nodes, kept, target.maxStorageBuffers, fusion);
  const tasks = fusion && target.family === 'gpu' ? beginColumnSums(fused, nodes, kept, target) : fused;
  const drafts = draftSteps(tasks, target);
  const inPlace = placeStoredValues(drafts, kept);
  const recorded = drafts.filter((draft) => draft.kind !== 'copy' || inPlace.get(ownerOf(draft.from).owner) !== draft);
  checkUpdateOrder(recorded, nodes);
  const exchanges = recorded.some(({ kind }) => kind === 'send');
  const steps = exchanges && overlap ? overlapExchanges(recorded, inPlace, target) : recorded;

  const slots = planSlots(steps, kept, inPlace, shareSlots);
  const given = givenValues(nodes, steps, kept);
  const locate = addresses(slots, given, inPlace);
  const planned = addressSteps(steps, locate);
  checkBindings(planned, target);

  return {
    target,
    steps: planned,
    slotBytes: slots.slotBytes,
    ...given,
    nodes,
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, tensor]) => [name, { tensor, address: locate(tensor) }]),
    ),
    report: makeReport({ planned, slots, given, state, target }),
  };
}
