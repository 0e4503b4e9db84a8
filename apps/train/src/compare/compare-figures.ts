/** The figures of a comparison: detection of foreign images by model (Fig. 8), mIoU over the number of clusters (Fig. 10), and all differences. */
import { barChart, type Figure, type Interval, intervalPlot, lineChart } from '@franca/viz';
import type { Comparison, PairedRow } from './comparison';
import { titleOf } from './rows';

/** A score of detection, and the foreign sets that it was tried on. */
export interface OodTable {
  readonly score: string;
  /** Foreign sets, then the means over near and far ones where there are several. */
  readonly groups: readonly string[];
  /** In percent, for each model one for each group. */
  readonly values: readonly (readonly (number | undefined)[])[];
}

/** One for each score, data set and part. */
export function oodTables({ models, rows }: Comparison): OodTable[] {
  const own = rows.filter(({ task, metric }) => task === 'ood' && metric === 'AUROC');
  const scoreOf = (row: PairedRow): string =>
    JSON.stringify([row.variant.split(' ')[0], `${row.dataset} ${row.split}`, row.protocol]);
  return [...new Set(own.map(scoreOf))].map((score) => {
    const sets = own.filter((row) => scoreOf(row) === score);
    const means = (['near', 'far'] as const).flatMap((kind) => {
      const members = sets.filter((row) => kindOf(row) === kind);
      return members.length > 1 ? [{ name: `mean of ${kind}`, members }] : [];
    });
    const [name, data] = JSON.parse(score) as [string, string];
    return {
      score: `${name}, ${data}`,
      groups: [...sets.map((row) => row.variant.replace(/^\S+ (against )?/, '')), ...means.map((mean) => mean.name)],
      values: models.map((_, i) => {
        const percent = (row: PairedRow): number | undefined => {
          const value = row.cells[i]?.value;
          return value === undefined ? undefined : 100 * value;
        };
        return [...sets.map(percent), ...means.map(({ members }) => meanOf(members.map(percent)))];
      }),
    };
  });
}

const kindOf = ({ cells }: PairedRow): unknown => cells.find((cell) => cell !== undefined)?.hyper.group;

/** Undefined where any is missing: another set of members is another mean. */
export function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const there = values.filter((value) => value !== undefined);
  return there.length < values.length || there.length === 0
    ? undefined
    : there.reduce((sum, value) => sum + value, 0) / there.length;
}

export const oodFigure = ({ score, groups, values }: OodTable, { models }: Comparison): Figure =>
  barChart(
    groups,
    models.map(({ name }, i) => ({ name, values: values[i]! })),
    {
      title: `Foreign images told by ${score}`,
      subtitle: 'AUROC, %; more is better',
      x: { domain: [0, 100] },
      references: [{ value: 50, label: 'chance' }],
    },
  );

/** One chart for each data set of overclustering with several numbers of clusters. */
export function clusterFigures({ models, rows }: Comparison): Figure[] {
  const own = rows.filter(({ task }) => task === 'overclustering');
  const places = [...new Set(own.map(({ dataset, split }) => `${dataset} ${split}`))];
  return places.flatMap((place) => {
    const here = own.filter(({ dataset, split }) => `${dataset} ${split}` === place);
    const lines = models.map(({ name }, i) => {
      const points = here
        .flatMap(({ cells }) => (cells[i] ? [cells[i]] : []))
        .map(({ hyper, value }) => ({ clusters: Number(hyper.clusters), value }))
        .sort((a, b) => a.clusters - b.clusters);
      return { name, x: points.map(({ clusters }) => clusters), y: points.map(({ value }) => 100 * value) };
    });
    const ticks = [...new Set(lines.flatMap(({ x }) => x))].filter((count) => count > 0).sort((a, b) => a - b);
    if (ticks.length < 2) return [];
    return [
      lineChart(
        lines.filter(({ x }) => x.length > 0),
        {
          title: `Overclustering of ${place}`,
          subtitle: 'mean over seeds of k-means',
          markers: true,
          x: { label: 'clusters', kind: 'log', ticks, format: String },
          y: { label: 'mIoU, %' },
        },
      ),
    ];
  });
}

/** All paired differences of shares, in points. */
export function differencesFigure({ models, against, rows }: Comparison): Figure | undefined {
  const intervals = rows.flatMap((row) =>
    row.differences.flatMap((found, i): Interval[] => {
      if (!found?.paired || row.unit !== 'share') return [];
      const { difference, low, high, resolved } = found;
      const name = `${titleOf(row, rows)}, ${row.dataset}`;
      return [{ name, series: models[i]!.name, value: 100 * difference, low: 100 * low, high: 100 * high, resolved }];
    }),
  );
  if (intervals.length === 0) return undefined;
  return intervalPlot(intervals, {
    title: `Difference to ${models[against]!.name}`,
    subtitle: 'points, with 95 % intervals over the same images; hollow: not resolved',
    width: 1000,
    x: { label: 'points' },
  });
}
