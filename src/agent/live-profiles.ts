import { createProfiles, type Profile, type Profiles } from "./profiles.ts";

/** Profiles that follow a list which changes as a whole. */
export function liveProfiles(read: () => readonly Profile[]): Profiles {
  let profiles = createProfiles(read());
  const current = () => {
    const list = read();
    if (list !== profiles.list) profiles = createProfiles(list);
    return profiles;
  };
  return {
    get list() {
      return current().list;
    },
    find: (name) => current().find(name),
  };
}
