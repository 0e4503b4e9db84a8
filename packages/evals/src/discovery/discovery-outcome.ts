/**
 * The result of object discovery on a set of pictures as an outcome: CorLoc with the range that equal values leave, and for
 * TokenCut how exactly its eigenvectors are known.
 */
import type { OptionKinds } from '@franca/tensor';
import { hitItems } from '../compare/item-results';
import { checkArgument, checkOption } from '../errors';
import type { CorLoc } from '../metrics/corloc';
import type { Json, Outcome } from '../outcome';
import { DINO_SEG_DEFAULTS } from './dino-seg';
import { LOST_DEFAULTS } from './lost';
import { TOKEN_CUT_DEFAULTS } from './token-cut';

/** Methods of object discovery. */
export type DiscoveryMethod = 'tokencut' | 'lost' | 'dino-seg';

/** What an outcome says beside CorLoc. */
export interface DiscoveryRun {
  readonly protocol: DiscoveryMethod;
  /** Which features, such as `keys of block 11`. */
  readonly variant: string;
  /** Pictures with objects that there were to evaluate. */
  readonly total: number;
  /** `detail` of each picture's `Discovery`. */
  readonly details: readonly Readonly<Record<string, number>>[];
  /** What the number depends on: feature, block, patch size, head, and the options that differ from the method's defaults. */
  readonly hyper: Readonly<Record<string, Json>>;
  readonly wallMs: number;
}

const PARTS: OptionKinds<DiscoveryRun> = {
  protocol: ['tokencut', 'lost', 'dino-seg'],
  variant: 'string',
  total: 'number',
  details: 'list',
  hyper: 'object',
  wallMs: 'number',
};

const DEFAULTS: Readonly<Record<DiscoveryMethod, Readonly<Record<string, Json>>>> = {
  tokencut: TOKEN_CUT_DEFAULTS,
  lost: LOST_DEFAULTS,
  'dino-seg': DINO_SEG_DEFAULTS,
};

const TIES: Readonly<Record<DiscoveryMethod, string>> = {
  tokencut: '|v| of at least (1 - 1e-9) max is tied for the seed, the lowest patch wins',
  lost: 'equal degrees rank by patch, the lowest first',
  'dino-seg': 'of equally large parts the first in reading order',
};

/** @throws EvalsError `argument` or `options` */
export function discoveryOutcome(result: CorLoc, run: DiscoveryRun): Outcome {
  checkArgument('discoveryOutcome', 'result', result, 'object');
  checkArgument('discoveryOutcome', 'run', run, 'object');
  for (const part of Object.keys(PARTS) as (keyof DiscoveryRun)[])
    checkArgument('discoveryOutcome', `run.${part}`, run[part], PARTS[part]);
  const { protocol, variant, total, details, hyper, wallMs } = run;
  checkOption(
    details.length === result.images,
    `discoveryOutcome: details of ${details.length} pictures for ${result.images}; give that of each`,
  );
  return {
    task: 'object-discovery',
    protocol,
    variant,
    evaluated: result.images,
    total,
    metric: 'CorLoc',
    value: result.corLoc,
    unit: 'share',
    others: {
      'mean best IoU': result.meanBestIou,
      'lowest over ties': result.lowest,
      'highest over ties': result.highest,
      'images whose ties give other boxes': result.tiedImages,
      ...(protocol === 'tokencut' && eigenvectorNumbers(details)),
    },
    perClass: [],
    items: hitItems(
      result.perImage.map(({ hit }) => Number(hit)),
      result.perImage.map(() => 1),
    ),
    hyper: { ...DEFAULTS[protocol], ...hyper, ties: TIES[protocol] },
    selectedOn: 'nothing',
    seeds: [],
    quirks: hyper.quirks === true,
    wallMs,
  };
}

/** How exactly the eigenvectors are known, and how far the next one is; pictures of less than three patches have none. */
function eigenvectorNumbers(details: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const finite = (values: number[]): number[] => values.filter(Number.isFinite).sort((a, b) => a - b);
  const residuals = finite(details.map(({ residual }) => residual ?? Number.NaN));
  const gaps = finite(details.map(({ lambda2, lambda3 }) => (lambda3 ?? Number.NaN) - (lambda2 ?? Number.NaN)));
  return {
    // lambda2 is 1 where all patches are joined, and less in any other graph
    'images with nothing to cut': details.filter(({ lambda2 }) => lambda2 === 1).length,
    ...(residuals.length > 0 && { 'worst residual': residuals.at(-1)! }),
    ...(gaps.length > 0 && {
      'smallest gap to the third': gaps[0]!,
      'median gap to the third': (gaps[(gaps.length - 1) >> 1]! + gaps[gaps.length >> 1]!) / 2,
    }),
  };
}
