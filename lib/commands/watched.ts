/** Checks that tell when they are asked and answered, so that a terminal shows which are still out. */
import type { Check } from '../checks/catalog.ts';
import type { Report } from '../output/report.ts';

/** The same checks, heard by `report`. */
export const watched = (checks: readonly Check[], { tell }: Report): readonly Check[] =>
  checks.map((check) => ({
    ...check,
    run: (target) => {
      tell({ kind: 'asking', check: check.name });
      return check.run(target).finally(() => tell({ kind: 'answered', check: check.name }));
    },
  }));
