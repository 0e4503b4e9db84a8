/** The page of a comparison: tables in the shape of the paper's, its figures, every difference with its interval, and what differs in how results came about. */
import { writeFileAtomic } from '@franca/checkpoint';
import { htmlReport, type ReportSection, type ReportTable } from '@franca/viz';
import { clusterFigures, differencesFigure, oodFigures, oodGroups } from './compare-figures';
import { notesOf, resolvedLine } from './compare-text';
import { ABOUT_INTERVALS, type Comparison, type PairedRow, paperModels, resolvedCount } from './comparison';
import { titleOf, valueText } from './rows';

export async function writeComparisonPage(path: string, comparison: Comparison): Promise<void> {
  const { models, against, rows } = comparison;
  const { paired, resolved } = resolvedCount(comparison);
  const html = htmlReport({
    title: `${models.length} models compared`,
    facts: [
      { label: 'models', value: models.length },
      { label: 'results', value: rows.length },
      { label: 'differences to', value: models[against]!.name },
      { label: 'resolved', value: `${resolved} of ${paired}` },
    ],
    sections: [
      ...tableSections(comparison),
      ...figureSections(comparison),
      ...otherResults(comparison),
      differences(comparison),
      {
        title: 'What differs',
        text: 'Results in one row that were not made alike, and what the records say of themselves.',
        notices: notesOf(comparison).map((text) => ({ kind: 'warning', text: text.replace(/^note: /, '') })),
      },
      {
        title: 'Files',
        tables: [
          {
            columns: ['model', 'in the records', 'files'],
            rows: models.map(({ name, features, files }) => [name, features, files.join(', ')]),
          },
        ],
      },
    ],
  });
  await writeFileAtomic(path, (sink) => sink(Buffer.from(html)));
}

/** The paper's tables, by the tasks whose results are their columns. */
const TABLES: readonly { readonly title: string; readonly tasks: readonly string[]; readonly average?: true }[] = [
  { title: 'Classification and robustness (as Table 2)', tasks: ['knn', 'linear'] },
  { title: 'Logistic regression (as Table 3)', tasks: ['logistic-regression'], average: true },
  {
    title: 'Dense tasks (as Table 4)',
    tasks: ['in-context-segmentation', 'linear-segmentation', 'overclustering'],
  },
];

const tableSections = (comparison: Comparison): ReportSection[] =>
  TABLES.flatMap(({ title, tasks, average }) => {
    const rows = comparison.rows.filter(({ task }) => tasks.includes(task));
    if (rows.length === 0) return [];
    return [{ title, tables: [paperTable(comparison, rows, average === true)] }];
  });

/** Undefined where any is missing: another set of members is another mean. */
function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const there = values.filter((value) => value !== undefined);
  return there.length < values.length || there.length === 0
    ? undefined
    : there.reduce((sum, value) => sum + value, 0) / there.length;
}

/** As the paper prints them: a row for each model, a column for each result; the best in bold. */
function paperTable({ models, rows: all }: Comparison, rows: readonly PairedRow[], average: boolean): ReportTable {
  // a record of the mean over the paper's sets is a column of its own, and no member of another mean
  const averaged = average && rows.length > 1 && rows.every(({ metric }) => metric !== 'mean over sets');
  const own = models.map(({ name }, i) => {
    const shares = rows.map(({ cells }) => cells[i]?.value);
    const mean = meanOf(shares);
    return [
      name,
      ...rows.map((row) => (row.cells[i] ? valueText(row.cells[i].value, row.unit) : undefined)),
      ...(averaged ? [mean === undefined ? undefined : valueText(mean, 'share')] : []),
    ];
  });
  const paper = paperModels(rows).map((model) => {
    const values = rows.map(({ paper: printed }) => printed[model]);
    const mean = meanOf(values.map((value) => value?.[0]));
    return [
      `${model} (paper)`,
      ...values.map((value) => value?.map((each) => each.toFixed(1)).join(' / ')),
      ...(averaged ? [mean?.toFixed(1)] : []),
    ];
  });
  // what all columns share stands above them once
  const facts = [
    (row: PairedRow) => titleOf(row, all),
    ({ dataset, split }: PairedRow) => `${dataset} ${split}`,
    ({ metric, unit }: PairedRow) => (unit === 'share' ? `${metric}, %` : metric),
  ];
  const isShared = (fact: (row: PairedRow) => string): boolean => new Set(rows.map(fact)).size === 1;
  const shared = rows.length > 1 ? facts.filter(isShared) : [];
  return {
    caption: shared.map((fact) => fact(rows[0]!)).join(', '),
    columns: [
      'model',
      ...rows.map((row) =>
        facts
          .filter((fact) => !shared.includes(fact))
          .map((fact) => fact(row))
          .join(', '),
      ),
      ...(averaged ? [`average of ${rows.length}`] : []),
    ],
    rows: [...own, ...paper],
    bold: rows.flatMap(({ best }, column) => best.map((model) => [model, column + 1] as const)),
  };
}

function figureSections(comparison: Comparison): ReportSection[] {
  const { models } = comparison;
  const detections = oodGroups(comparison);
  const clusters = clusterFigures(comparison);
  return [
    ...(detections.length > 0
      ? [
          {
            title: 'Out-of-distribution detection (as Fig. 8)',
            charts: oodFigures(comparison).map((figure) => ({ figure })),
            tables: [
              {
                caption: 'AUROC, %',
                columns: ['data set', 'score', 'against', ...models.map(({ name }) => name)],
                rows: detections.map(({ data, score, set, values }) => [
                  data,
                  score,
                  set,
                  ...values.map((value) => value?.toFixed(1)),
                ]),
                bold: detections.flatMap(({ values }, at) => {
                  const best = Math.max(...values.map((value) => value ?? 0));
                  return values.flatMap((value, i) => (value === best ? [[at, i + 3] as const] : []));
                }),
              },
            ],
          },
        ]
      : []),
    ...(clusters.length > 0
      ? [{ title: 'Overclustering (as Fig. 10)', charts: clusters.map((figure) => ({ figure })) }]
      : []),
  ];
}

/** Everything that is in none of the paper's tables and figures above. */
function otherResults(comparison: Comparison): ReportSection[] {
  const { models, rows: all } = comparison;
  const shown = new Set(['ood', ...TABLES.flatMap(({ tasks }) => tasks)]);
  const rows = all.filter(({ task }) => !shown.has(task));
  if (rows.length === 0) return [];
  const paper = paperModels(rows);
  const table: ReportTable = {
    caption: 'shares in %',
    columns: [
      'task',
      'data set',
      'metric',
      ...models.map(({ name }) => name),
      ...paper.map((name) => `paper: ${name}`),
    ],
    rows: rows.map((row) => [
      titleOf(row, all),
      `${row.dataset} ${row.split}`,
      row.metric,
      ...row.cells.map((cell) => (cell ? valueText(cell.value, row.unit) : undefined)),
      ...paper.map((name) => row.paper[name]?.map((value) => value.toFixed(1)).join(' / ')),
    ]),
    bold: rows.flatMap(({ best }, at) => best.map((model) => [at, model + 3] as const)),
  };
  return [{ title: 'Other results', tables: [table] }];
}

function differences(comparison: Comparison): ReportSection {
  const { models, against, rows: all } = comparison;
  const figure = differencesFigure(comparison);
  const rows = all.flatMap((row) =>
    row.differences.flatMap((found, i) => {
      if (!found) return [];
      const points = (value: number): string => {
        const text = row.unit === 'share' ? (100 * value).toFixed(1) : value.toPrecision(3);
        return value < 0 ? text : `+${text}`;
      };
      const common = [titleOf(row, all), row.dataset, models[i]!.name, points(found.difference)];
      return [
        found.paired
          ? [
              ...common,
              `${points(found.low)} to ${points(found.high)}`,
              found.pValue === undefined ? undefined : pText(found.pValue),
              found.resolved ? 'resolved' : 'not resolved',
              found.items,
            ]
          : [...common, undefined, undefined, found.why, undefined],
      ];
    }),
  );
  return {
    title: `Differences to ${models[against]!.name}`,
    text: `${ABOUT_INTERVALS}\n\n${resolvedLine(comparison)}.`,
    ...(figure && { charts: [{ figure }] }),
    tables: [
      {
        columns: ['task', 'data set', 'model', 'points', '95 % interval', 'p', 'verdict', 'items'],
        rows,
        bold: rows.flatMap((row, at) => (row[6] === 'resolved' ? [[at, 3] as const] : [])),
      },
    ],
  };
}

const pText = (p: number): string => (p < 0.001 ? p.toExponential(0) : p.toFixed(3));
