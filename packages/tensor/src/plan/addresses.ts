/** Where every value lies: in its slot, in state, or where it was given. Views and stored values lie inside what they are part of. */
import { BYTES_PER_ELEMENT } from '../base/dtype';
import { TensorError } from '../base/errors';
import { showShape, sizeOf } from '../base/shape';
import type { GraphNode, Storage, Tensor } from '../graph/op';
import { isScratch } from '../kernels/kernel-builder';
import { isConstant, isInput, isState } from '../ops/sources';
import type { CopyDraft, Draft, DraftedExchange, ExchangeDraft } from './draft';
import { byteSize } from './memory';
import { ownerOf } from './owner';
import type { Address, GivenValues, PlannedExchange, PlanStep } from './plan-types';
import type { InPlace } from './range';
import type { Slots } from './slots';

export type Locate = (storage: Storage) => Address;

type Home = Omit<Address, 'bytes'>;

export function addresses({ slotOf }: Slots, given: GivenValues, inPlace: InPlace): Locate {
  const homeOf = (owner: Tensor): Home => {
    const copy = inPlace.get(owner);
    if (copy) return shifted(locate(copy.into), copy.offset * BYTES_PER_ELEMENT[owner.dtype]);
    const slot = slotOf.get(owner);
    if (slot !== undefined) return { place: { kind: 'slot', slot }, offset: 0 };
    return sourceHome(owner, given);
  };
  const locate: Locate = (storage) => {
    const bytes = byteSize(storage);
    if (isScratch(storage)) return { place: { kind: 'slot', slot: slotOf.get(storage)! }, offset: 0, bytes };
    const { owner, offset } = ownerOf(storage);
    return { ...shifted(homeOf(owner), offset * BYTES_PER_ELEMENT[storage.dtype]), bytes };
  };
  return locate;
}

const shifted = ({ place, offset }: Home, bytes: number): Home => ({ place, offset: offset + bytes });

function sourceHome(tensor: Tensor, { constants, knobs }: GivenValues): Home {
  const node: GraphNode = tensor.node;
  if (isState(node)) {
    const { group, buffer, offset, dtype } = node.attrs;
    return { place: { kind: 'state', group, buffer }, offset: offset * BYTES_PER_ELEMENT[dtype] };
  }
  if (isConstant(node))
    return { place: { kind: 'constant', index: constants.findIndex((own) => own.tensor === tensor) }, offset: 0 };
  if (isInput(node)) {
    const knob = knobs.find((own) => own.tensor === tensor);
    if (knob) return { place: { kind: 'knobs' }, offset: knob.offset };
    return { place: { kind: 'batch', name: node.attrs.name }, offset: 0 };
  }
  throw new TensorError('argument', `internal: ${tensor.node.op.name} ${showShape(tensor.shape)} has no address`);
}

/** The drafts with the addresses of what they bind. */
export function addressSteps(drafts: readonly Draft[], locate: Locate): PlanStep[] {
  const exchanges = new Map<DraftedExchange, PlannedExchange>();
  return drafts.map((draft) => {
    const { kind, node } = draft;
    if (kind === 'copy') return addressCopy(draft, locate);
    if (kind === 'kernel') {
      const { kernel, members } = draft;
      return { kind, kernel, addresses: kernel.bindings.map(({ tensor }) => locate(tensor)), node, members };
    }
    const known = exchanges.get(draft.exchange) ?? addressExchange(draft, exchanges.size, locate);
    exchanges.set(draft.exchange, known);
    return { kind, exchange: known, node };
  });
}

function addressExchange(
  { exchange, node }: ExchangeDraft<'send' | 'receive'>,
  index: number,
  locate: Locate,
): PlannedExchange {
  const { kind, how, size, when, from, fromOffset, sent, into, intoOffset, received } = exchange;
  const stretch = (tensor: Tensor, offset: number, elements: number): Address => {
    const width = BYTES_PER_ELEMENT[tensor.dtype];
    return { ...shifted(locate(tensor), offset * width), bytes: elements * width };
  };
  return {
    kind,
    how,
    size,
    when,
    index,
    from: stretch(from, fromOffset, sent),
    to: stretch(into, intoOffset, received),
    sent,
    received,
    node,
  };
}

/** Copies to the element, since what lies behind a segment must stay zero. */
function addressCopy({ from, into, offset, node }: CopyDraft, locate: Locate): PlanStep {
  const bytes = sizeOf(from.shape) * BYTES_PER_ELEMENT[from.dtype];
  return {
    kind: 'copy',
    from: { ...locate(from), bytes },
    to: { ...shifted(locate(into), offset * BYTES_PER_ELEMENT[into.dtype]), bytes },
    node,
  };
}
