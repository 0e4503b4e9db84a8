/** How depth is probed: what the options and the protocol that they name come to. */
import { type DepthHead, type DepthProtocol, type DepthProtocolFacts, depthProtocol } from '@franca/evals';
import { TrainError } from '../../errors';
import type { LevelTokens } from '../../features/compute-shard';
import { type PerhapsAlone, refuseInner, requireSides } from '../../features/output-alone';
import type { DepthView } from '../../image-sets/depth-view';
import { type DepthSize, type DepthSizeOptions, PAPER_SIZES } from './depth-sizes';

export const PROBES = ['dpt', 'linear', 'ridge'] as const;
export type ProbeName = (typeof PROBES)[number];
export const PROTOCOL_NAMES = ['probe3d', 'probe3d-2025', 'dinov3', 'paper'] as const;

export interface DepthPlanOptions extends DepthSizeOptions {
  readonly protocol?: (typeof PROTOCOL_NAMES)[number];
  readonly probe?: ProbeName;
  readonly hidden?: number;
  readonly epochs?: number;
  readonly trainBatch?: number;
  readonly augment?: boolean;
}

export interface DepthPlan {
  readonly protocol: DepthProtocol;
  readonly facts: DepthProtocolFacts;
  /** Undefined for ridge regression. */
  readonly head: DepthHead | undefined;
  readonly hidden: number;
  /** Undefined: so many steps as the protocol has. */
  readonly epochs: number | undefined;
  readonly batchSize: number;
  readonly augment: boolean;
  readonly sizes: DepthSizeOptions & { readonly crop: DepthView['crop'] };
  /** Whether everything is as behind the paper's numbers, as far as they say. */
  readonly asPaper: boolean;
  readonly notes: readonly string[];
}

const HIDDEN = 512;

/** @throws TrainError `usage` for a probe that the protocol has not, or options that exclude each other */
export function planDepth(options: DepthPlanOptions): DepthPlan {
  const { protocol: named = 'probe3d', probe, hidden = HIDDEN, epochs, trainBatch, quirks } = options;
  const protocol = named === 'paper' ? 'probe3d' : named;
  const facts = depthProtocol(protocol);
  const chosen = probe ?? facts.heads[0]!;
  const head = chosen === 'ridge' ? undefined : chosen;
  refuse(
    head !== undefined && !facts.heads.includes(head),
    `${protocol} has no probe ${head}; it has ${facts.heads.join(' and ')}`,
  );
  refuse(!head && protocol === 'dinov3', '--probe ridge reads the tokens of probe3d; leave out --protocol dinov3');
  refuse(
    !head && options.augment === true,
    '--augment says nothing about --probe ridge, which has one pass; leave it out',
  );
  const usual = head !== undefined && protocol !== 'dinov3';
  const augment = options.augment ?? usual;
  const crop = options.crop ?? (protocol === 'dinov3' ? 'none' : 'square');
  const sizes = options.sizes ?? (named === 'paper' ? Object.values(PAPER_SIZES) : undefined);
  const isPlain = [probe, epochs, trainBatch, quirks, options.hidden, options.crop, options.augment].every(
    (given) => given === undefined,
  );
  return {
    protocol,
    facts,
    head,
    hidden,
    epochs: epochs ?? facts.epochs,
    batchSize: trainBatch ?? facts.batchSize,
    augment,
    sizes: { crop, sizes, quirks },
    asPaper: protocol === 'probe3d' && isPlain,
    notes: notesOn(protocol, augment, head),
  };
}

function refuse(wrong: boolean, message: string): void {
  if (wrong) throw new TrainError('usage', message);
}

function notesOn(protocol: DepthProtocol, augment: boolean, head: DepthHead | undefined): string[] {
  if (!head) return [];
  const order = 'pictures are learnt from in the order of their list, as Probe3D does on one device';
  if (protocol === 'dinov3')
    return [
      order,
      ...(augment ? ['views are drawn as Probe3D does, not DINOv3'] : ['without the augmentation of DINOv3']),
    ];
  return [
    order,
    augment
      ? 'views are drawn anew for each epoch, and their features computed'
      : 'without augmentation: features are computed once',
  ];
}

/** @throws TrainError `data` where the model does not give the tokens, or not at these sizes */
export function checkModel(weights: PerhapsAlone, { facts }: DepthPlan, sizes: readonly DepthSize[]): void {
  if (!facts.finalNorm)
    refuseInner(weights, 'tokens of four blocks before the final norm', '--protocol dinov3, with one block,');
  requireSides(
    weights,
    sizes.map(({ preparation }) => preparation.input),
  );
}

/** The blocks that are read, counted from 0: the last of each quarter, or the last. */
export const levelsOf = ({ blocks, finalNorm }: DepthProtocolFacts, depth: number): LevelTokens => ({
  blocks:
    blocks === 'last' ? [depth - 1] : [1, 2, 3, 4].map((quarter) => Math.max(0, Math.floor((quarter * depth) / 4) - 1)),
  norm: finalNorm,
});
