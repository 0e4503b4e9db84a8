/** Logistic regression with a sweep of the penalty C. */
import { Option } from 'commander';
import { numberList } from '../../options/option-values';
import { logregCost } from '../estimate/costs/logreg';
import { ofCls } from '../idle-options';
import { follow, PAPER_LOGREG, type ProtocolOptions, protocolOption } from '../paper-protocol';
import { METRICS, penaltyChart, type RegressionAsked, regress } from '../regression';
import type { EvalTask } from '../task';

interface Options extends ProtocolOptions, Pick<RegressionAsked, 'metric'> {
  readonly c?: readonly number[];
}

export const task: EvalTask = {
  name: 'logreg',
  about: 'logistic regression, 45 values of C (paper Table 3)',
  reads: 'labelled',
  order: 3,
  inputSize: ({ protocol }) => (protocol === 'paper' ? PAPER_LOGREG.size : undefined),
  idle: ofCls,
  cost: logregCost,
  options: (command) =>
    command
      .addOption(protocolOption('centre 224 of 224 px, 45 values of C, as behind Table 3'))
      .option('-c, --c <list>', 'penalties (default: 45 powers of ten from 1e-6 to 1e5)', numberList)
      .addOption(
        new Option(
          '--metric <name>',
          'what C is chosen by and what is reported (default: that of a published data set, else top-1)',
        ).choices(METRICS),
      ),
  async run(context, options: Options) {
    const { protocol, metric } = options;
    const input = context.input();
    const followed = follow({ task: 'logreg', protocol, paper: PAPER_LOGREG, given: options, input });
    const asked = { patchMean: false, resize: followed.resize };
    const train = await context.labelled('train', asked);
    const validation = await context.labelled('validation', asked);
    const test = await context.labelled('test', asked);
    const { record, sweep } = await regress(context, { train, validation, test }, { task: 'logreg', followed, metric });
    return {
      records: [record],
      ...(sweep.length > 1 && { section: { charts: [penaltyChart('Logistic regression: choice of C', sweep)] } }),
    };
  },
};
