/**
 * `report.html`: the run on one page, rewritten whenever there is something new. First what the figures mean, then the figures, what was learned in pictures, the
 * curves, what was trained on, health, history and configuration.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { writeFileAtomic } from '@franca/checkpoint';
import {
  type Figure,
  htmlReport,
  type ReportImage,
  type ReportSection,
  type ReportTable,
  trainingCurves,
} from '@franca/viz';
import { duration } from '../text/amounts';
import { BEST_TEACHER } from './best-reading';
import type { HealthNotice } from './health';
import type { KnnFigures } from './knn-figures';
import { accuracies } from './last-screen';
import type { MetricRow } from './metrics-log';
import { CURVES, type CurveText, HEALTH_CURVES, LEARNED, MATERIAL, type PictureText } from './report-texts';
import { percent, type RunOutcome, standing, verdict } from './verdict';

export interface ReportInput {
  readonly folder: string;
  /** Of the metrics log. */
  readonly rows: readonly MetricRow[];
  readonly outcome: RunOutcome;
  readonly config: string;
  /** What was assumed, left out or changed, in words. */
  readonly history: readonly string[];
  readonly notices: readonly HealthNotice[];
  readonly secondsSpent: number;
  readonly imagesSeen: number;
}

/** Writes the report of a run folder. */
export async function writeReport(input: ReportInput): Promise<void> {
  const { folder, rows, outcome, config, history, notices } = input;
  const newest = await newestPictures(join(folder, 'pictures'));
  const sections: ReportSection[] = [
    { title: 'Figures', tables: outcome.knn ? [accuracyTable(outcome.knn, outcome.steps)] : [] },
    { title: 'What it learned', images: await pictures(newest, LEARNED) },
    { title: 'Training', charts: curves(rows, CURVES) },
    { title: 'What it trained on', images: await pictures(newest, MATERIAL) },
    { title: 'Health', notices: health(notices, outcome), charts: curves(rows, HEALTH_CURVES) },
    { title: 'History', notices: history.map((text) => ({ kind: 'info', text })) },
    { title: 'Configuration', details: [{ summary: 'config.yaml', text: config }] },
  ];
  const html = htmlReport({
    title: `Training run ${basename(resolve(folder))}`,
    subtitle: verdict(outcome),
    facts: facts(input),
    sections: sections.filter(({ title: _, ...parts }) => Object.values(parts).some((part) => part.length > 0)),
    footer: `franca-train, ${folder}`,
  });
  await writeFileAtomic(join(folder, 'report.html'), (sink) => sink(Buffer.from(html)));
}

function facts({ rows, outcome: { step, steps, knn, best }, secondsSpent, imagesSeen }: ReportInput) {
  const loss = rows.findLast((row) => typeof row.loss === 'number')?.loss;
  return [
    ...(knn ? [{ label: `${knn.k}-NN of the teacher`, value: percent(knn.share) }] : []),
    ...(knn && best
      ? [{ label: `best ${knn.k}-NN, of ${BEST_TEACHER}`, value: `${percent(best.share)}, step ${best.step}` }]
      : []),
    ...(knn ? [{ label: `${knn.k}-NN of raw pixels`, value: percent(knn.pixels.share) }] : []),
    { label: 'steps', value: step < steps ? `${step} of ${steps}` : step },
    { label: 'images seen', value: imagesSeen },
    { label: 'time', value: duration(secondsSpent) },
    ...(typeof loss === 'number' ? [{ label: 'loss', value: loss.toFixed(3) }] : []),
  ];
}

function accuracyTable(knn: KnnFigures, steps: number): ReportTable {
  const { k, step, images, classes, pixels, start } = knn;
  const leads = [undefined, pixels, ...(start ? [start] : []), undefined];
  const rows = accuracies(knn).map(({ name, share }, i) => {
    const lead = leads[i];
    return [
      name,
      percent(share),
      lead &&
        `${lead.lead < 0 ? '-' : '+'}${(100 * Math.abs(lead.lead)).toFixed(1)} ± ${(200 * lead.error).toFixed(1)}`,
      lead && standing(lead),
    ];
  });
  return {
    caption: `Share of ${images} held-out pictures that get their own class, one of ${classes}, from their ${k} nearest training pictures (${k}-NN), at step ${step} of ${steps}. ±: two standard errors of the difference on these pictures; what is smaller is level.`,
    columns: ['nearest by', 'right', 'lead of the trained network, points', 'the trained network is'],
    rows: step > 0 ? rows : rows.map((row) => [...row.slice(0, 2), undefined, undefined]),
    highlight: [rows.length - 1],
  };
}

/** What was said while it ran, since the last resume; nothing was wrong at the newest check where no trouble stands. */
function health(notices: readonly HealthNotice[], { spread, trouble }: RunOutcome): ReportSection['notices'] {
  const said = notices.map(({ severity, text }) => ({ kind: severity, text }));
  const well = spread !== undefined && trouble.length === 0;
  return well ? [...said, { kind: 'info', text: 'Nothing looked wrong at the newest check.' }] : said;
}

export function curves(rows: readonly MetricRow[], texts: readonly CurveText[]): { figure: Figure; caption: string }[] {
  return texts.flatMap(({ title, caption, columns, smoothing }) => {
    const series = columns.flatMap((name) => {
      const points = rows.filter((row) => typeof row[name] === 'number');
      const steps = points.map((row) => row.step);
      return points.length > 0 ? [{ name, steps, values: points.map((row) => row[name] as number) }] : [];
    });
    return series.length > 0 ? [{ figure: trainingCurves(series, { title, smoothing }), caption }] : [];
  });
}

/** The newest picture of each kind: files are named `<kind>-<step>.png`. */
async function newestPictures(folder: string): Promise<ReadonlyMap<string, string>> {
  const newest = new Map<string, string>();
  for (const name of (await readdir(folder).catch(() => [])).sort()) {
    const kind = name.match(/^(.+)-\d+\.png$/)?.[1];
    if (kind) newest.set(kind, join(folder, name));
  }
  return newest;
}

async function pictures(newest: ReadonlyMap<string, string>, texts: readonly PictureText[]): Promise<ReportImage[]> {
  const shown = texts.filter(({ kind }) => newest.has(kind));
  return Promise.all(
    shown.map(async ({ kind, caption }) => {
      const image = new Uint8Array(await readFile(newest.get(kind)!));
      const step = Number(newest.get(kind)!.match(/(\d+)\.png$/)![1]);
      return { image, caption: `Step ${step}. ${caption}` };
    }),
  );
}
