/**
 * A step on more and more ranks, on paper: the model that N ranks train, with the same images for each of them, run by 1, 2, 4, ... and N. An update is as many
 * micro-steps on each, and only the last of them exchanges gradients.
 */
import { type FittedStep, fitPretraining } from '@franca/pretraining';
import { type ExchangeRates, type Plan, type RankLinks, type Timeline, timeline } from '@franca/tensor';
import type { DerivedOptions } from '../config/derived-options';
import type { Cluster } from './cluster';

/** An update on a number of ranks; times are of the update, all its micro-steps together. */
export interface ScaleRow {
  readonly ranks: number;
  readonly images: number;
  readonly seconds: number;
  readonly communicationSeconds: number;
  readonly exposedSeconds: number;
  /** Time of one rank alone over that of these. */
  readonly efficiency: number;
}

/** Exchanges of one kind in the last micro-step of an update. */
export interface ExchangeKind {
  readonly kind: string;
  readonly count: number;
  /** Of all their values together, on one rank. */
  readonly bytes: number;
}

/** How fast the link between nodes has to be. */
export interface LinkGoal {
  readonly efficiency: number;
  /** Bytes a second of one rank, to a per cent; undefined where no link is enough. */
  readonly link: number | undefined;
  /** Efficiency of N ranks where the link takes no time. */
  readonly atMost: number;
}

export interface Scale {
  readonly rows: readonly ScaleRow[];
  /** On N ranks. */
  readonly exchanges: readonly ExchangeKind[];
  /** Absent where N ranks are on one node. */
  readonly goal?: LinkGoal;
}

/** Efficiency that a link is asked for. */
const GOAL = 0.9;
/** Bytes a second of the slowest link that is looked at. */
const SLOWEST = 1e6;

/** Plans the step for each number of ranks and follows it in time. */
export function scaleOf({ options, choice, plan }: FittedStep<DerivedOptions>, cluster: Cluster): Scale {
  const { accumulation, perDevice } = options.batch;
  const planFor = (size: number): Plan =>
    size === cluster.ranks ? plan : fitPretraining(sharedBy(size, options), plan.target, choice).plan;
  const update = (plan: Plan, ranks: number, rates = cluster.rates): Omit<ScaleRow, 'efficiency'> => ({
    ranks,
    images: ranks * perDevice * accumulation,
    ...updateTime(plan, accumulation, linksOf(cluster, ranks, rates)),
  });
  const updates = rankCounts(cluster.ranks).map((ranks) => update(planFor(ranks), ranks));
  const alone = updates[0]!.seconds;
  const efficiencyAt = (link: number): number => {
    const rates = { ...cluster.rates, link: { ...cluster.rates.link, value: link } };
    return alone / update(plan, cluster.ranks, rates).seconds;
  };
  return {
    rows: updates.map((row) => ({ ...row, efficiency: alone / row.seconds })),
    exchanges: exchangeKinds(timeline(plan, linksOf(cluster, cluster.ranks, cluster.rates))),
    ...(cluster.ranks > cluster.ranksPerNode ? { goal: linkGoal(efficiencyAt) } : {}),
  };
}

/** The same images for each of `size` ranks. Where they are too few for a group, they are one. */
function sharedBy(size: number, options: DerivedOptions): DerivedOptions {
  const { perDevice, group } = options.batch;
  const images = perDevice * size;
  const batch = { ...options.batch, group: images % group === 0 ? group : images };
  return { ...options, batch, ranks: { rank: 0, size } };
}

/** 1, 2, 4, ... below `most`, and `most`. */
function rankCounts(most: number): number[] {
  const powers = Array.from({ length: Math.ceil(Math.log2(most)) }, (_, i) => 2 ** i);
  return [...powers, most];
}

const linksOf = ({ ranksPerNode }: Cluster, ranks: number, rates: ExchangeRates): RankLinks => ({
  ranks,
  ranksPerNode: Math.min(ranks, ranksPerNode),
  rates,
});

type Times = Pick<ScaleRow, 'seconds' | 'communicationSeconds' | 'exposedSeconds'>;

/** All micro-steps of an update; those before the last one leave out the exchanges that depend on a knob. */
function updateTime(plan: Plan, accumulation: number, links: RankLinks): Times {
  const idle = new Set(plan.steps.flatMap((step) => (step.kind === 'send' ? (step.exchange.when ?? []) : [])));
  const [others, last] = [timeline(plan, links, idle), timeline(plan, links)];
  const sum = (part: keyof Times): number => (accumulation - 1) * others[part] + last[part];
  return {
    seconds: sum('seconds'),
    communicationSeconds: sum('communicationSeconds'),
    exposedSeconds: sum('exposedSeconds'),
  };
}

function exchangeKinds({ exchanges }: Timeline): ExchangeKind[] {
  const kinds = new Map<string, ExchangeKind>();
  for (const { exchange } of exchanges) {
    const kind = exchange.kind === 'allGather' ? exchange.kind : `${exchange.kind} ${exchange.how}`;
    const { count, bytes } = kinds.get(kind) ?? { count: 0, bytes: 0 };
    kinds.set(kind, { kind, count: count + 1, bytes: bytes + 4 * exchange.sent });
  }
  return [...kinds.values()].sort((a, b) => b.bytes - a.bytes);
}

function linkGoal(efficiencyAt: (link: number) => number): LinkGoal {
  const atMost = efficiencyAt(Number.POSITIVE_INFINITY);
  return { efficiency: GOAL, link: atMost < GOAL ? undefined : slowestLink(efficiencyAt), atMost };
}

/** The slowest link, to a per cent, at which the goal is reached. */
function slowestLink(efficiencyAt: (link: number) => number): number {
  let [low, high] = [SLOWEST, SLOWEST];
  while (efficiencyAt(high) < GOAL) high *= 10;
  while (high / low > 1.01) {
    const middle = Math.sqrt(low * high);
    if (efficiencyAt(middle) < GOAL) low = middle;
    else high = middle;
  }
  return high;
}
