import { asProfile, type Profiles } from "../agent/profiles.ts";
import type { Middleware } from "../agent/turn.ts";

/** Puts what a turn's profile says into the turn. Innermost, because the model of a session is known only then. */
export const withProfile =
  (profiles: Profiles): Middleware =>
  (turn, next) =>
    next(asProfile(turn, profiles));
