/**
 * Where ranks run, and how fast they are taken to exchange values. Those of a software adapter were measured on an idle machine, by what `npm run bench:ranks` measures them by (`bench/results/README.md`
 * has a slower one); of cards and networks hardly any was, and each says so.
 */
import type { ExchangeRateName, ExchangeRates, Rate, Target } from '@franca/tensor';
import { TrainError } from '../errors';

export interface Cluster {
  /** N, the most ranks. */
  readonly ranks: number;
  /** Of one node, where there are so many. */
  readonly ranksPerNode: number;
  readonly rates: ExchangeRates;
}

/** What the command line says of a cluster; rates are in bytes per second. */
export interface AskedCluster {
  readonly ranks: number;
  readonly ranksPerNode?: number;
  readonly link?: number;
  readonly pcie?: number;
  readonly memory?: number;
}

/** What is asked of a cluster has no meaning for one rank. */
const OF_MANY = { ranksPerNode: '--ranks-per-node', link: '--link', pcie: '--pcie', memory: '--memory' } as const;
const RANKS_PER_NODE = 8;

const MEASURED = 'measured on two cores of an AMD EPYC (Zen 5)';
const measured = (value: number, what: string): Rate => ({ value, source: `${MEASURED}, ${what}` });
const assumed = (value: number, what: string): Rate => ({ value, source: `assumed: ${what}` });

/** What one core does with values of ranks. */
const ON_THE_PROCESSOR: Pick<ExchangeRates, 'callSeconds' | 'reduce' | 'logSumExp'> = {
  callSeconds: measured(18e-6, 'the fastest of many; far more where cores are busy'),
  reduce: measured(11e9, 'MPI_Reduce_local of 1 MB each; of 12 MB that another core just wrote, 4 GB/s'),
  logSumExp: measured(35e6, 'on the JavaScript thread'),
};

/** Processes of one machine, whose staging is memory like any other. */
const SOFTWARE: ExchangeRates = {
  ...ON_THE_PROCESSOR,
  read: measured(5e9, 'a copy of 25 MB by the software adapter'),
  write: measured(5e9, 'a copy of 25 MB by the software adapter'),
  mapSeconds: measured(85e-6, 'the software adapter'),
  link: assumed(1e9, 'a network of 10 Gbit/s (--link)'),
  memory: measured(5.9e9, 'two ranks of Open MPI in shared memory'),
  linkSeconds: assumed(30e-6, 'TCP'),
  memorySeconds: measured(1.2e-6, 'half of a reduction of 1 KB by Open MPI'),
  encodeSeconds: measured(2e-6, 'replays on the null backend'),
};

/** Of a processor that was not measured. */
const alike = ({ value, source }: Rate): Rate => assumed(value, `as ${source}`);

const CARD: ExchangeRates = {
  callSeconds: alike(ON_THE_PROCESSOR.callSeconds),
  reduce: alike(ON_THE_PROCESSOR.reduce),
  logSumExp: alike(ON_THE_PROCESSOR.logSumExp),
  read: assumed(25e9, 'PCIe 4 x16, 31.5 GB/s by its sheet; what mapped buffers reach is unknown (--pcie)'),
  write: assumed(25e9, 'as from the device'),
  mapSeconds: assumed(200e-6, 'a fence, and a turn of the event loop'),
  link: assumed(12.5e9, 'each rank its own 100 Gbit/s (--link)'),
  memory: assumed(8e9, 'eight ranks at once through the memory of a server (--memory)'),
  linkSeconds: assumed(3e-6, 'InfiniBand'),
  memorySeconds: assumed(1.2e-6, 'shared memory'),
  encodeSeconds: assumed(5e-6, 'a driver takes as long as Dawn, which was measured'),
};

/** The cluster that was asked for, of such adapters; undefined for one rank. @throws TrainError `usage` where one rank is given what only several have */
export function clusterOf({ family }: Pick<Target, 'family'>, asked: AskedCluster): Cluster | undefined {
  const { ranks, ranksPerNode = RANKS_PER_NODE } = asked;
  if (ranks > 1) return { ranks, ranksPerNode, rates: ratesOf(family, asked) };
  const names = Object.keys(OF_MANY) as (keyof typeof OF_MANY)[];
  const idle = names.find((name) => asked[name] !== undefined);
  if (idle)
    throw new TrainError(
      'usage',
      `${OF_MANY[idle]} is about what ranks exchange, and one exchanges nothing; give --ranks 2 or more`,
    );
  return undefined;
}

function ratesOf(family: Target['family'], asked: AskedCluster): ExchangeRates {
  const rates = family === 'cpu' ? SOFTWARE : CARD;
  const said = (name: ExchangeRateName, option: 'link' | 'pcie' | 'memory'): Rate =>
    asked[option] === undefined ? rates[name] : { value: asked[option], source: `as ${OF_MANY[option]} says` };
  return {
    ...rates,
    read: said('read', 'pcie'),
    write: said('write', 'pcie'),
    link: said('link', 'link'),
    memory: said('memory', 'memory'),
  };
}
