/** The parts of a model card that a run tells: data, recipe with its curves, Matryoshka widths, results. Folders of this machine are left out of them. */
import { basename } from 'node:path';
import type { EvalRecord } from '@franca/evals';
import { changedSettings, keepsRun } from '../config/changes';
import { derivedLines } from '../config/explain';
import { defaultConfig } from '../config/load';
import { asTree } from '../config/tree';
import { duration } from '../text/amounts';
import { markdownTable } from './markdown';
import type { RunFacts } from './run-facts';

/** What it learned from. */
export function dataSection({ config, state, notes }: RunFacts): string {
  const name = nameOfData(config.train.dataset_path);
  const data = state?.made?.data;
  const counts = data
    ? `: ${data.train.count} pictures to learn from, ${data.val.count} held out${data.classes.count > 0 ? `, ${data.classes.count} classes, of which training is not told` : ''}`
    : '; how many pictures is not known, as no checkpoint is left';
  const seen = state
    ? ` ${state.imagesSeen} pictures were drawn until the newest checkpoint, in ${duration(state.secondsSpent)}.`
    : '';
  const list = notes.map((note) => `* ${withoutFolders(note)}`).join('\n');
  return `## Data\n\n${name}${counts}.${seen}${list && `\n\nWhat was said while it ran:\n\n${list}`}`;
}

/** `hf://owner/name` and `world` as they are; of a folder its name. */
function nameOfData(spec: string): string {
  if (!spec || spec === defaultConfig.train.dataset_path)
    return 'The data that `franca-train` takes where none are named';
  return `\`${/^\w+:\/\//.test(spec) ? spec : basename(spec)}\``;
}

/** A card is read by others, whom folders of this machine tell nothing. */
const withoutFolders = (text: string): string => text.replace(/(?<![\w.:/])(?:\/[^\s/:;,]+)+\/(?=[^\s/])/g, '');

/** How it learned: what follows from the settings, those that are not usual, curves. */
export function recipeSection(
  { config, derived, state, environments, sentence }: RunFacts,
  figures: readonly string[],
  step: string | undefined,
): string {
  const changes = changedSettings(asTree(defaultConfig), asTree(config)).filter((change) => !keepsRun(change, config));
  // what is said of this machine is nothing of the run
  const trained = { ...derived, notes: [], precision: state?.made?.precision ?? derived.precision };
  const adapters = [...new Set(environments.map(({ adapter }) => adapter.name))];
  const at = step === undefined ? '' : ` The weights are those after update ${step} of ${derived.schedule.iterations}.`;
  const on = adapters.length > 0 ? ` Trained on ${adapters.join('; ')}.` : '';
  return [
    `## Recipe\n\nThe losses of Franca (DINO, iBOT, KoLeo), by \`franca-train pretrain\`.${at}${on} The whole configuration is in \`config.yaml\`, every step in \`metrics.jsonl\`.`,
    `\`\`\`\n${derivedLines(trained).join('\n')}\n\`\`\``,
    ...(changes.length > 0
      ? [
          `Settings other than the defaults:\n\n${markdownTable(
            ['setting', 'value', 'default'],
            changes.map(({ key, from, to }) => [`\`${key}\``, withoutFolders(to), from]),
          )}`,
        ]
      : []),
    ...(sentence ? [withoutFolders(sentence)] : []),
    ...figures.map((path) => `![${basename(path, '.png')}](${path})`),
  ].join('\n\n');
}

/** Which prefixes of a feature stand alone. */
export function widthsSection({ config, derived, results }: RunFacts): string {
  const { levels, nesting } = derived.heads.dino;
  const widths = levels.map(({ width }) => width);
  if (!config.dino.MRL) return '## Widths\n\nThe heads were not nested: only whole features were trained to be of use.';
  const measured = results.some(({ records }) => records.some(({ task }) => task === 'truncation'));
  const text =
    nesting === 'slice'
      ? `The first ${widths.slice(0, -1).join(', ')} components of a feature (CLS or patch) were trained to stand alone, as all ${widths.at(-1)} are: \`features[..., :${widths[0]}]\` is a feature too. Other widths work, and were not trained for. Normalise after cutting.`
      : `Each nested head (${widths.join(', ')} wide) saw the whole token through a projection of its own: prefixes were not trained to stand alone.`;
  return `## Matryoshka widths\n\n${text}${measured ? ' What shorter ones are worth is among the results below.' : ' What shorter ones are worth was not measured here: `franca-train eval truncation`.'}`;
}

/** What it was measured to do. */
export function evaluationSection({ results }: RunFacts): string {
  if (results.length === 0)
    return '## Results\n\nNone were in the folder of the run: `franca-train eval all -w <run> --json <run>/evals.json` writes them there.';
  const tables = results.map(({ file, records }) => {
    const notes = [...new Set(records.flatMap(({ notes: of = [] }) => of))].map((note) => `* ${withoutFolders(note)}`);
    return [`From \`${file}\`:`, resultTable(records), ...(notes.length > 0 ? [notes.join('\n')] : [])].join('\n\n');
  });
  return `## Results\n\n${tables.join('\n\n')}`;
}

const resultTable = (records: readonly EvalRecord[]): string =>
  markdownTable(
    ['task', 'variant', 'metric', 'value', 'data set', 'items', 'features', 'chosen on'],
    records.map(({ task, variant, metric, unit, value, dataset, split, evaluated, total, features, selectedOn }) => [
      task,
      variant,
      unit === 'share' ? `${metric}, %` : metric,
      unit === 'share' ? (100 * value).toFixed(1) : value.toPrecision(4),
      `${withoutFolders(dataset)} ${split}`,
      evaluated === total ? total : `${evaluated} of ${total}`,
      features,
      selectedOn,
    ]),
  );
