/** Object discovery without labels: one box per picture by TokenCut, LOST and DINO-seg, and how often it is that of an object. */
import type { ReportTable } from '@franca/viz';
import { TrainError } from '../../errors';
import type { BoxOptions } from '../../image-sets/box-layout';
import { withBoxes } from '../../image-sets/box-options';
import type { OpenBoxOptions } from '../../image-sets/box-set';
import { finiteNumber, index, positiveInteger, positiveNumber, someOf, wholeNumber } from '../../options/option-values';
import type { BoxPart } from '../discovery/box-part';
import { type DiscoveredSet, discoverSet } from '../discovery/discover-set';
import { writeItems } from '../discovery/items';
import { judgePictures } from '../discovery/judge-pictures';
import { outcomeOf } from '../discovery/outcome';
import { type Scored, scoreOfWholePictures, scoreSet } from '../discovery/score';
import {
  describeSetting,
  FEATURES,
  METHODS,
  type Method,
  refuseInside,
  type Setting,
  type SettingOptions,
  settingsOf,
} from '../discovery/settings';
import { shownPictures } from '../discovery/shown-pictures';
import { bestOf, splitOff, triedSettings } from '../discovery/sweep';
import { discoverCost } from '../estimate/costs/discover';
import type { EvalResult, EvalTask } from '../task';

interface Options extends SettingOptions, BoxOptions {
  readonly pictures?: number;
  readonly sweep?: boolean;
  readonly items?: string;
  readonly size?: number;
}

export const task: EvalTask = {
  name: 'discover',
  about: 'objects found without labels: TokenCut, LOST and DINO-seg (paper Table 5)',
  reads: 'boxes',
  order: 14,
  rasa: { leftOut: 'keys and values lie before the final norm; for the output: --features output' },
  cost: discoverCost,
  options: (command) =>
    withBoxes(command)
      .option('--methods <list>', `of ${METHODS.join(', ')} (default: all)`, someOf(METHODS))
      .option(
        '--features <list>',
        `of ${FEATURES.join(', ')} (default: key, the official one, value and output)`,
        someOf(FEATURES),
      )
      .option('--layer <index>', 'block of the features, from 0, or from the end -1, -2 ... (default: -1)', wholeNumber)
      .option('--tau <cosine>', 'TokenCut: patches more similar than this are neighbours (default: 0.2)', finiteNumber)
      .option('--eps <weight>', 'TokenCut: weight between all others (default: 1e-5)', positiveNumber)
      .option('--weighted', 'TokenCut: neighbours are weighted by their cosine')
      .option('--neighbours <k>', 'LOST: so many patches of the lowest degree (default: 100)', positiveInteger)
      .option('--normalise', 'LOST: cosines in place of dot products')
      .option('--bias <value>', 'LOST: subtracted from the similarities (default: 0)', finiteNumber)
      .option('--head <index>', 'DINO-seg: head of the attention (default: 4, as LOST has it, or the last)', index)
      .option(
        '--sweep',
        'choose block and features, of LOST bias too, on a fifth of the pictures, and report the others',
      )
      .option('--items <file>', 'write one line of JSON for each picture and setting'),
  async run(context, { sweep = false, items, size, ...options }: Options) {
    if (size !== undefined) throw new TrainError('usage', 'pictures are taken at their own size; leave out --size');
    const began = performance.now();
    const part = await context.boxes(boxesMeant(options));
    refuseInside(part.session.weights, { ...options, sweep });
    const { set, settings, tried } = sweep ? await sweepOver(part, options) : { ...plain(part, options), tried: [] };
    const { session } = part;
    const discovered = await discoverSet(session, set, settings);
    const notes = [...discovered.set.notes, ...judgePictures(discovered)];
    const scored = scoreSet(discovered, session.model.config.patchSize);
    if (items !== undefined) await writeItems(items, discovered.set, scored);
    const common = {
      wholePicture: scoreOfWholePictures(discovered),
      patchSize: session.model.config.patchSize,
      rasa: session.weights.rasa.planes.length > 0 || session.weights.rasa.folded !== undefined,
      wallMs: (performance.now() - began) / settings.length,
      selectedOn: sweep ? ('validation' as const) : ('nothing' as const),
      key: discovered.set.key,
    };
    const outcomes = scored.map((one) => outcomeOf(one, common));
    const records = context.records({ ...part, set: { ...discovered.set, notes } }, outcomes);
    return { records, section: await sectionOf(part, discovered, scored, tried) };
  },
};

const boxesMeant = ({ year, part, hard, annotations, list, pictures }: Options): OpenBoxOptions => ({
  year,
  part,
  hard,
  annotations,
  list,
  ...(pictures !== undefined && { limit: pictures }),
});

const plain = ({ set, session }: BoxPart, options: SettingOptions) => ({
  set,
  settings: settingsOf(options, session.model.config, session.weights),
});

/** Every setting on the held-out fifth; the best of each method for the others. */
async function sweepOver({ set, session }: BoxPart, options: SettingOptions) {
  const given = (['features', 'layer', 'normalise', 'bias'] as const).find((name) => options[name] !== undefined);
  if (given !== undefined) throw new TrainError('usage', `--${given} is what --sweep chooses; leave one of them out`);
  const { config } = session.model;
  const { methods = METHODS } = options;
  const { held, rest } = splitOff(set);
  const swept = methods.filter((method) => method !== 'dino-seg');
  const trials = swept.flatMap((method) => triedSettings(method, options, config));
  const discovered = await discoverSet(session, held, trials);
  const tried = scoreSet(discovered, config.patchSize);
  const chosen = methods.flatMap((method): Setting[] =>
    method === 'dino-seg'
      ? settingsOf({ ...options, methods: [method] }, config)
      : [bestOf(tried.filter(({ setting }) => setting.method === method)).setting],
  );
  const note = `the settings of ${swept.join(' and ')} were chosen among ${trials.length} on ${held.length} pictures that are held out (seed 0)`;
  return { set: { ...rest, notes: [...rest.notes, note] }, settings: chosen, tried };
}

async function sectionOf(
  { session }: BoxPart,
  discovered: DiscoveredSet,
  scored: readonly Scored[],
  tried: readonly Scored[],
): Promise<NonNullable<EvalResult['section']>> {
  const methods: readonly Method[] = METHODS.filter((method) =>
    scored.some(({ setting }) => setting.method === method),
  );
  const charts = [];
  for (const method of methods)
    charts.push({
      figure: await shownPictures(
        session,
        discovered,
        bestOf(scored.filter(({ setting }) => setting.method === method)),
      ),
    });
  return {
    text: ABOUT,
    charts,
    tables: [
      tableOf('boxes found', scored, scoreOfWholePictures(discovered)),
      ...(tried.length > 0 ? [tableOf('tried on the held-out fifth, which is not reported', tried)] : []),
    ],
  };
}

const ABOUT =
  'Each method finds one box in a picture from the tokens of one forward pass. It is a hit where it covers a labelled box to one half at least (intersection over union). Where ' +
  'patches are tied for the seed or for a place among candidates, the one with the lower index is taken; the range is what the other ways would give.';

/** `wholePicture`: CorLoc of the boxes of whole pictures, to compare with. */
function tableOf(caption: string, scored: readonly Scored[], wholePicture?: number): ReportTable {
  const percent = (share: number): string => (100 * share).toFixed(1);
  return {
    caption,
    columns: ['method and features', 'CorLoc, %', 'over ties, %', 'tied pictures', 'mean best IoU'],
    rows: [
      ...scored.map(({ setting, score }) => [
        describeSetting(setting),
        percent(score.corLoc),
        `${percent(score.lowest)} to ${percent(score.highest)}`,
        score.tiedImages,
        score.meanBestIou.toFixed(3),
      ]),
      ...(wholePicture === undefined
        ? []
        : [['the box of the whole picture', percent(wholePicture), undefined, undefined, undefined]]),
    ],
  };
}
