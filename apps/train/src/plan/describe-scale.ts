/** A step on more and more ranks, for people: a table of updates, what they exchange, and what the times rest on. */
import type { ExchangeRateName, ExchangeRates } from '@franca/tensor';
import type { Cluster } from './cluster';
import type { LinkGoal, Scale, ScaleRow } from './scale';

const NAMES: Readonly<Record<ExchangeRateName, string>> = {
  link: 'link between nodes',
  linkSeconds: 'message between nodes',
  memory: 'exchange in a node',
  memorySeconds: 'message in a node',
  read: 'from device to staging',
  write: 'from staging to device',
  mapSeconds: 'mapping staging',
  callSeconds: 'call of an exchange',
  reduce: 'sum of ranks',
  logSumExp: 'exponentials of ranks',
  encodeSeconds: 'encoding a kernel',
};

const rateText = (name: ExchangeRateName, value: number): string => {
  if (name === 'logSumExp') return `${short(value / 1e6)} M/s`;
  return name.endsWith('Seconds') ? `${short(value * 1e6)} us` : `${short(value / 1e9)} GB/s`;
};
const short = (value: number): string => `${Number(value.toPrecision(value < 1000 ? 3 : 4))}`;
const milliseconds = (seconds: number): string => short(seconds * 1e3);

/** The scale, line by line. */
export function scaleLines({ rows, exchanges, goal }: Scale, cluster: Cluster): string[] {
  const { ranks, ranksPerNode, rates } = cluster;
  return [
    cells(['ranks', 'images', 'update ms', 'exchange ms', 'exposed ms', 'efficiency', 'images/s']),
    ...rows.map(rowCells).map(cells),
    '',
    ...exchanges.map(({ kind, count, bytes }, i) =>
      line(i === 0 ? 'exchanges' : '', `${short(bytes / 1e6).padStart(8)} MB in ${count} x ${kind}`),
    ),
    line('nodes', ranks > ranksPerNode ? `of ${ranksPerNode} ranks each` : `one, of ${ranks} ranks`),
    ...(goal ? [line('', goalText(goal, cluster))] : []),
    '',
    ...rateLines(rates),
  ];
}

const WIDTHS = [8, 10, 12, 14, 13, 13, 12];
const cells = (columns: readonly string[]): string => columns.map((text, i) => text.padStart(WIDTHS[i]!)).join('');
const line = (label: string, text: string): string => `${label.padEnd(16)}${text}`;

const rowCells = (row: ScaleRow): string[] => [
  `${row.ranks}`,
  `${row.images}`,
  milliseconds(row.seconds),
  milliseconds(row.communicationSeconds),
  milliseconds(row.exposedSeconds),
  `${(100 * row.efficiency).toFixed(1)} %`,
  short(row.images / row.seconds),
];

function goalText({ efficiency, link, atMost }: LinkGoal, { ranks }: Cluster): string {
  const goal = `${100 * efficiency} %`;
  if (link === undefined)
    return `${goal} are out of reach of ${ranks} ranks by any link: ${(100 * atMost).toFixed(1)} % at most`;
  return `${ranks} ranks reach ${goal} with a link of ${short(link / 1e9)} GB/s`;
}

const rateLines = (rates: ExchangeRates): string[] =>
  (Object.keys(NAMES) as ExchangeRateName[]).map(
    (name) => `${NAMES[name].padEnd(26)}${rateText(name, rates[name].value).padEnd(14)}${rates[name].source}`,
  );
