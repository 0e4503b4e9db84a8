/** What the campaign is told on its command line. */
import { parseArgs } from 'node:util';
import type { Precision } from './stage';
import { STAGES } from './stages/index';

export interface CampaignOptions {
  readonly out: string;
  /** Seconds for all stages together. */
  readonly budget: number;
  readonly stages: readonly string[];
  /** Undefined: f16 where the card has it. */
  readonly precision: Precision | undefined;
  readonly dry: boolean;
  readonly preset: string;
  readonly data: string | undefined;
  readonly python: string | undefined;
}

const PRESET = 'official-in21k-vitb14';
/** Tests take a call of their own: they are asked for by name. */
const NOT_BY_DEFAULT = 'tests';

export const USAGE: string = `node scripts/gpu-campaign.mjs --out <folder> [options]

  --out <folder>      one JSON a stage, <date>-<card>-<stage>.json
  --budget <s>        seconds for all of it (default 560)
  --stages <a,b,...>  of ${STAGES.map(({ name }) => name).join(', ')} (default: all but ${NOT_BY_DEFAULT}; with --dry all)
  --precision <p>     f16 or f32 (default: f16 where the card has it, with matrices)
  --preset <name>     whose step is looked into (default ${PRESET})
  --data <what>       pictures to train on (default: the generated world)
  --python <program>  a Python with PyTorch (default: the first that is found)
  --dry               tiny sizes on whatever adapter there is, to try the campaign itself`;

/** @throws Error with what is wrong with the command line */
export function parseOptions(args: readonly string[]): CampaignOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      out: { type: 'string' },
      budget: { type: 'string', default: '560' },
      stages: { type: 'string' },
      precision: { type: 'string' },
      preset: { type: 'string', default: PRESET },
      data: { type: 'string' },
      python: { type: 'string' },
      dry: { type: 'boolean', default: false },
    },
  });
  const { out, budget, precision, preset, data, python, dry } = values;
  if (!out) throw new Error('give the folder for the records: --out <folder>');
  const seconds = Number(budget);
  if (!(seconds > 0)) throw new Error(`--budget is ${budget}; it is a number of seconds, such as 560`);
  if (precision !== undefined && precision !== 'f16' && precision !== 'f32')
    throw new Error(`--precision is ${precision}; it is f16 or f32`);
  return { out, budget: seconds, stages: stagesOf(values.stages, dry), precision, dry, preset, data, python };
}

function stagesOf(text: string | undefined, dry: boolean): string[] {
  const known = STAGES.map(({ name }) => name);
  if (text === undefined) return known.filter((name) => dry || name !== NOT_BY_DEFAULT);
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`no stage is named ${unknown.join(', ')}; there are ${known.join(', ')}`);
  return names;
}
