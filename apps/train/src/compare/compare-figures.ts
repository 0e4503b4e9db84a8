/** The figures of a comparison: detection of foreign images by model (Fig. 8), mIoU over the number of clusters (Fig. 10), and all differences. */
import { barChart, type Figure, type Interval, intervalPlot, lineChart, SERIES_COLOURS } from '@franca/viz';
import type { Comparison, PairedRow } from './comparison';
import { titleOf } from './rows';

/** AUROC of each model by foreign set and score. */
export interface OodGroup {
  /** What is told from foreign images. */
  readonly data: string;
  readonly score: string;
  /** A foreign set, or the mean over those that are near or far. */
  readonly set: string;
  /** In percent, one for each model. */
  readonly values: readonly (number | undefined)[];
}

/** Every score, and each foreign set or mean over a group of them, as `eval ood` records it. */
export function oodGroups({ models, rows }: Comparison): OodGroup[] {
  const own = rows.filter(({ task, metric }) => task === 'ood' && metric === 'AUROC');
  const scoreOf = ({ variant, dataset, split, protocol }: PairedRow): string =>
    JSON.stringify([variant.split(' ')[0], `${dataset} ${split}`, protocol]);
  return [...new Set(own.map(scoreOf))].flatMap((score): OodGroup[] => {
    const [name, data] = JSON.parse(score) as [string, string];
    return own
      .filter((row) => scoreOf(row) === score)
      .map((row) => ({
        data,
        score: name,
        set: setOf(row),
        values: models.map((_, i) => row.cells[i] && 100 * row.cells[i].value),
      }));
  });
}

/** Of `msp against ninco` the set, of `msp near` the mean. */
const setOf = ({ variant }: PairedRow): string =>
  variant.replace(/^\S+ (against )?/, (_, against) => (against ? '' : 'mean of '));

/** One chart for each score, over the foreign sets; of a single foreign set one over the scores. */
export function oodFigures(comparison: Comparison): Figure[] {
  const groups = oodGroups(comparison);
  return [...new Set(groups.map(({ data }) => data))].flatMap((data) => {
    const here = groups.filter((group) => group.data === data);
    const scores = [...new Set(here.map(({ score }) => score))];
    const sets = [...new Set(here.map(({ set }) => set))];
    const chart = (title: string, bars: readonly OodGroup[], nameOf: (group: OodGroup) => string): Figure =>
      barChart(
        bars.map(nameOf),
        comparison.models.map(({ name }, i) => ({ name, values: bars.map(({ values }) => values[i]) })),
        {
          title,
          subtitle: 'AUROC, %; more is better',
          width: 540,
          x: { domain: [0, 100] },
          references: [{ value: 50, label: 'chance' }],
          format: (value) => value.toFixed(1),
        },
      );
    if (sets.length === 1) return [chart(`${data} against ${sets[0]}`, here, ({ score }) => score)];
    return scores.map((score) =>
      chart(
        `${data} by ${score}`,
        here.filter((group) => group.score === score),
        ({ set }) => set,
      ),
    );
  });
}

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
      const colour = SERIES_COLOURS[i % SERIES_COLOURS.length]!;
      return { name, colour, x: points.map(({ clusters }) => clusters), y: points.map(({ value }) => 100 * value) };
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
      // the colour that the model has in the other charts
      const series = { series: models[i]!.name, colour: SERIES_COLOURS[i % SERIES_COLOURS.length]! };
      return [{ name, ...series, value: 100 * difference, low: 100 * low, high: 100 * high, resolved }];
    }),
  );
  if (intervals.length === 0) return undefined;
  return intervalPlot(intervals, {
    title: `Difference to ${models[against]!.name}`,
    subtitle: 'points, with 95 % intervals over the same images; hollow: not resolved',
    width: 1000,
    x: { label: 'points' },
    format: (value) => value.toFixed(1),
  });
}
