"""The wall clock is set forward and back a day while the service runs: nothing that is due is lost or done twice, and nothing that runs is disturbed.

libfaketime (Debian: faketime) sets the clock of the real binary; the monotonic one stays. Left out, and said so, where it is not installed or a
sanitizer must be loaded first.
"""
import glob
import os
import unittest

from harness import SLOW, Service, Sim
from raw_client import eventually

LIBRARIES = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")


@unittest.skipUnless(LIBRARIES and SLOW == 1, "libfaketime is not installed, or a sanitizer runs")
class Clock(unittest.TestCase):
    def setUp(self):
        self.sim = Sim()
        self.service = Service(self.sim, response_deadline="2s")
        self.offset = self.service.folder / "clock"
        self.set_clock("+0")
        self.service.token()
        self.hour = self.service.token("hour", "*", "*", "--expires", "1h")
        self.service.start(env={"LD_PRELOAD": LIBRARIES[0], "FAKETIME_TIMESTAMP_FILE": str(self.offset), "FAKETIME_NO_CACHE": "1",
                                "FAKETIME_DONT_FAKE_MONOTONIC": "1"})

    def tearDown(self):
        try:
            self.service.close()
        finally:
            self.sim.close()

    def set_clock(self, offset):
        new = self.offset.with_suffix(".new")
        new.write_text(offset + "\n")
        new.rename(self.offset)

    def add(self, issue, user, **more):
        return self.service.post("group.add_member", {"issue": issue, "user": user, "group": "VPN Users", **more})

    def removals(self):
        return [c for c in self.sim.writes() if c["method"] == "DELETE"]

    def test_ends_of_memberships(self):
        """Forward: what is over ends, once. Back: it does not end again, and what is not over stays."""
        self.assertEqual(self.add("ITSM-70", "ada@contoso.com", expiresIn="8h")[0], 200)
        self.assertEqual(self.add("ITSM-71", "alan@contoso.com", expiresIn="3d")[0], 200)
        self.set_clock("+1d")
        self.assertEqual(self.add("ITSM-72", "zoe@contoso.com", expiresIn="8h")[0], 200)   # its end makes the schedule look now, not within a minute
        self.assertTrue(self.sim.wait_comments("ITSM-70", 2), self.service.log_text())
        self.assertEqual(len(self.removals()), 1)
        self.set_clock("+0")
        self.assertEqual(self.add("ITSM-73", "nora@contoso.com", expiresIn="8h")[0], 200)
        self.assertTrue(self.sim.wait_comments("ITSM-73", 1))
        self.assertEqual(len(self.removals()), 1)
        self.assertEqual(len(self.sim.comments("ITSM-70")), 2)
        listed = self.service.cli("operations", "list", "--expiring").stdout
        self.assertEqual([i in listed for i in ("ITSM-70", "ITSM-71", "ITSM-72", "ITSM-73")], [False, True, True, True], listed)
        self.assertIn("clock_stepped", self.service.log_text())

    def test_a_comment_is_not_put_off_for_a_day(self):
        """It fails while the clock is ahead, so that it is due tomorrow by the clock that is right."""
        self.sim.fault({"cloud": "jira", "method": "POST", "path": "/comment"}, times=-1, status=503)
        self.set_clock("+1d")
        self.assertEqual(self.add("ITSM-74", "ada@contoso.com")[0], 200)
        eventually(lambda: "later" in self.metrics() or "doubt" in self.metrics(), 20, self.service.log_text)
        self.set_clock("+0")
        self.sim.delete("/sim/faults")
        self.assertTrue(self.sim.wait_comments("ITSM-74", 1, 60000), self.service.log_text())

    def metrics(self):
        return "".join(line for line in str(self.service.get("/metrics")[2]).splitlines() if line.startswith("entrabridge_outbox_posts_total"))

    def test_an_operation_under_way_does_not_grow_old(self):
        """Held up by Graph while the clock goes a day forward: it is carried out, not expired, and its caller's deadline is the old one."""
        self.sim.fault({"method": "POST", "path": "/members/$ref"}, times=1, status=429, retry_after=4)
        status, _, opened = self.add("ITSM-75", "alan@contoso.com")
        self.assertEqual(status, 202)
        self.set_clock("+1d")
        self.assertEqual(self.service.await_ended(opened["operation"])["outcome"], "succeeded")
        self.set_clock("-1d")
        self.assertEqual(self.add("ITSM-76", "zoe@contoso.com")[2]["outcome"], "succeeded")
        self.assertEqual(self.add("ITSM-76", "zoe@contoso.com")[2]["replayed"], True)

    def test_tokens_and_repeats(self):
        first = self.add("ITSM-77", "ada@contoso.com")[2]
        for offset, status in (("+1d", 401), ("+0", 200)):
            self.set_clock(offset)
            self.assertEqual(self.service.get("/v1/operations?issue=ITSM-77", self.hour)[0], status)
            again = self.add("ITSM-77", "ada@contoso.com")[2]
            self.assertEqual((again["operation"], again["replayed"]), (first["operation"], True))
        self.set_clock("+9d")                                           # its window is over
        self.assertEqual(self.add("ITSM-77", "ada@contoso.com")[2]["replayed"], False)


if __name__ == "__main__":
    unittest.main()
