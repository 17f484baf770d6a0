import { describe, expect, it } from "vitest";
import { placeIn, tarArguments } from "../../../../../agents/containers/tools/files.ts";

const there = ["/r/etc/app", "/r/data", "/r/tmp/own"];
const place = placeIn("/r", (file) => there.includes(file));

describe("tarArguments", () => {
  it.each([
    ["reads what the container has", "cf - /etc/app", "cf - -C /r etc/app"],
    ["reads the machine's where it has not", "cf - /var/log", "cf - -C / var/log"],
    ["reads what is named from here", "cf - notes", "cf - notes"],
    ["reads everything", "cf - /", "cf - -C / ."],
    ["writes below the root", "-xmf - -C /etc/app", "-xmf - -C /r/etc/app"],
    ["writes what nobody made below it too", "-xmf - -C /opt/new", "-xmf - -C /r/opt/new"],
    ["writes to the /tmp that all share", "-xmf - -C /tmp/x", "-xmf - -C /tmp/x"],
    ["but for one that the container has", "-xmf - -C /tmp/own", "-xmf - -C /r/tmp/own"],
    [
      "keeps options in front",
      "--no-same-permissions --no-same-owner -xmf - -C /data",
      "--no-same-permissions --no-same-owner -xmf - -C /r/data",
    ],
    ["leaves archives on disk alone", "cf /backup.tar /data", "cf /backup.tar /data"],
    ["is not led out of /tmp", "-xmf - -C /tmp/../etc", "-xmf - -C /r/etc"],
  ])("%s", (_what, given, expected) => {
    expect(tarArguments(given.split(" "), place)).toEqual(expected.split(" "));
  });
});
