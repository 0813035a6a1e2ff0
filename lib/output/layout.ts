/** What lines are made with. */
import type { Styles } from './styles.ts';

export interface Layout {
  readonly styles: Styles;
  /** Takes out secrets, and control bytes of other hosts. */
  readonly clean: (text: string) => string;
  /** Columns there are; Infinity without a terminal, where nothing is wrapped: logs are searched by line. */
  readonly width: number;
  /** The hosts at work. */
  readonly hosts: readonly string[];
}

/** Are several hosts at work, so that a line must name its own? */
export const areSeveral = ({ hosts }: Layout): boolean => hosts.length > 1;
