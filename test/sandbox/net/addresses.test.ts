import { describe, expect, test } from "bun:test";
import { addressFault, isOwnAddress } from "../../../src/sandbox/net/addresses.ts";

const publicOnes = [
  "8.8.8.8",
  "93.184.216.34",
  "172.15.255.255",
  "172.32.0.1",
  "100.63.255.255",
  "100.128.0.1",
  "::ffff:8.8.8.8",
  "64:ff9b::808:808",
  "2001:4860:4860::8888",
  "2606:4700::1111",
  "2a00:1450:4001:81b::200e",
];

const privateOnes = [
  "127.0.0.1",
  "127.255.255.254",
  "10.0.0.1",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "100.64.0.1",
  "100.127.255.255",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::ffff:10.0.0.1",
  "64:ff9b::7f00:1",
  "64:ff9b::a00:1",
  "fc00::1",
  "fd12:3456:789a::1",
];

const never = [
  // This network, broadcast, multicast, reserved, benchmark, documentation, relays.
  "0.0.0.0",
  "0.1.2.3",
  "255.255.255.255",
  "224.0.0.1",
  "239.255.255.250",
  "240.0.0.1",
  "198.18.0.1",
  "198.19.255.255",
  "192.0.0.1",
  "192.0.2.1",
  "198.51.100.1",
  "203.0.113.1",
  "192.88.99.1",
  "192.31.196.1",
  "192.175.48.1",
  "192.52.193.1",
  "::",
  "ff02::1",
  "ff0e::1",
  "2001:db8::1",
  "3fff::1",
  "100::1",
  "2001:2::1",
  "2001:10::1",
  "2001:20::1",
  "5f00::1",
  "fec0::1",
  // Embedded IPv4 in ways that only tunnels use, and outside of what hosts are given.
  "::127.0.0.1",
  "::8.8.8.8",
  "::ffff:0:127.0.0.1",
  "2002:7f00:1::",
  "2002:808:808::1",
  "2001:0:4136:e378:8000:63bf:3fff:fdd2",
  "64:ff9b:1::7f00:1",
  "2a00:1450::5efe:7f00:1",
  "2a00:1450::200:5efe:a00:1",
  "4000::1",
  "e000::1",
  // Where clouds keep their secrets.
  "169.254.169.254",
  "169.254.170.2",
  "169.254.0.1",
  "::ffff:169.254.169.254",
  "64:ff9b::a9fe:a9fe",
  "fe80::1",
  "fe80::a9fe:a9fe",
  "febf::1",
  "fd00:ec2::254",
  "fd20:ce::254",
  "fd00:42::42",
  "100.100.100.200",
  "::ffff:100.100.100.200",
  "168.63.129.16",
  "192.0.0.192",
];

const noAddresses = [
  "",
  "localhost",
  "example.com",
  "127.1",
  "2130706433",
  "0x7f000001",
  "0177.0.0.1",
  "127.0.0.01",
  "127.0.0.1.",
  " 127.0.0.1",
  "127.0.0.1/8",
  "fe80::1%eth0",
  "8.8.8.8%25",
  "[::1]",
  "1.2.3.4.5",
  "٨.8.8.8",
];

describe("addressFault", () => {
  test.each(publicOnes)("lets %s through", (address) => {
    expect(addressFault(address, false)).toBeUndefined();
  });

  test.each(privateOnes)("lets %s through only where private networks are allowed", (address) => {
    expect(addressFault(address, false)).toContain("private network");
    expect(addressFault(address, true)).toBeUndefined();
  });

  test.each(never)("refuses %s whatever is allowed", (address) => {
    expect(addressFault(address, false)).toBeString();
    expect(addressFault(address, true)).toBeString();
  });

  test.each(noAddresses)("refuses %p, which is no plain address", (text) => {
    expect(addressFault(text, true)).toBe("no plain address");
  });
});

test("isOwnAddress knows loopback and the machine's own addresses in each spelling", () => {
  const own = ["192.168.7.5", "fe80::1%eth0", "2a00::5"];
  for (const mine of [
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "::ffff:127.0.0.1",
    "192.168.7.5",
    "::ffff:c0a8:705",
  ]) {
    expect(isOwnAddress(mine, own)).toBeTrue();
  }
  expect(isOwnAddress("2a00:0:0::5", own)).toBeTrue();
  expect(isOwnAddress("64:ff9b::c0a8:705", own)).toBeTrue();
  expect(isOwnAddress("192.168.7.6", own)).toBeFalse();
  expect(isOwnAddress("8.8.8.8", own)).toBeFalse();
  expect(isOwnAddress("what is this", own)).toBeTrue();
});
