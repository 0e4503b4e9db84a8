/** The GPU that a rank computes on: as it was asked for, else the ranks of a computer are dealt its cards in turn. */
import type { Communicator } from '@franca/collective';
import type { Gpu } from '@franca/tensor';
import { adapterOfRank, type CardOfRank, crowdedCards, listGpus, openGpu } from '@franca/tensor/node';
import { gatherRecords } from './exchange';
import { together } from './together';

export interface OwnAdapter {
  readonly gpu: Gpu;
  /** What it was opened by; undefined: as nobody asked for another. */
  readonly adapter: string | undefined;
  /** What there is to say: ranks that share a card while another one is idle. */
  readonly notes: readonly string[];
}

/** Opens the adapter of every rank. Called by all; throws what `openGpu` throws. */
export async function openOwnAdapter(ranks: Communicator, asked: string | undefined): Promise<OwnAdapter> {
  const open = (adapter: string | undefined) => openGpu({ robustness: false, ...(adapter ? { adapter } : {}) });
  if (ranks.size === 1) return { gpu: await open(asked), adapter: asked, notes: [] };
  const own = await together(ranks, async () => {
    const gpus = await listGpus();
    const named = asked ?? process.env.FRANCA_ADAPTER;
    const adapter = named ?? adapterOfRank(localRank(ranks), gpus);
    return { adapter, count: gpus.length, gpu: await open(adapter) };
  });
  const { rank, members } = ranks;
  const { gpu, adapter, count } = own;
  const card: CardOfRank = { rank, host: members[rank]!.host, adapter, name: gpu.target.name, gpus: count };
  const notes = crowdedCards(await gatherRecords(ranks, card)).map((text) => `warning: ${text}`);
  return { gpu, adapter: asked ?? (adapter === 'auto' ? undefined : adapter), notes };
}

/** Ranks before this one on its computer. */
const localRank = ({ rank, members }: Pick<Communicator, 'rank' | 'members'>): number =>
  members.slice(0, rank).filter(({ host }) => host === members[rank]!.host).length;
