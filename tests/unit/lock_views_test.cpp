// A report of a lock that is no GIL: every view names the lock, and none speaks of a GIL.
#include <gmock/gmock.h>

#include "tests/unit/command.h"
#include "tests/unit/subject_report.h"
#include "tools/analysis/lock_name.h"
#include "tools/analysis/subject_words.h"
#include "tools/cli/tools.h"

namespace gilscope {
namespace {

using sample::TracedSubject;
using testing::HasSubstr;
using testing::Not;

CellSubject program_with(const std::string& lock, const SubjectGil& place) {
  CellSubject subject = sample::some_subject();
  subject.kind = "program", subject.lock = lock;
  subject.interpreter = "mariadbd", subject.version = "";
  subject.gil = place;
  return subject;
}

TEST(NameOfALock, IsTheSymbolTheFileOrTheAddress) {
  EXPECT_EQ(lock_name(sample::some_subject()), "the GIL");
  EXPECT_EQ(lock_name(program_with("mutex", {"/usr/sbin/mariadbd", "LOCK_open", 0, "", ""})),
            "the mutex `LOCK_open`");
  EXPECT_EQ(lock_name(program_with("rwlock", {"/usr/sbin/mariadbd", "cache", 0x98, "", ""})),
            "the rwlock `cache+0x98`");
  EXPECT_EQ(lock_name(program_with("mutex", {"/usr/sbin/mariadbd", "", 0x6280, "", ""})),
            "the mutex at mariadbd+0x6280");
  EXPECT_EQ(lock_name(program_with("cond", {"[heap]", "", 0x55d0c0ffee00, "", ""})),
            "the condition at 0x55d0c0ffee00");
  EXPECT_EQ(lock_name(Cell()), "the GIL");
  EXPECT_EQ(lock_heading(Cell()), "GIL");
}

class LockViews : public ::testing::Test {
 protected:
  void use(const std::string& lock) {
    Cell& cell = traced_.report.cells.at(0);
    cell.subject = program_with(lock, {"/usr/sbin/mariadbd", "LOCK_open", 0, "symbols", "words"});
    cell.policy = "program:/usr/sbin/mariadbd";
    cell.workload = "mariadbd --datadir /var/tmp";
    GilCounts& gil = cell.runs.at(0).gil;
    gil.waits_begun = {}, gil.unslept = {};
    traced_.write();
  }
  std::string output_of(AddCommand add, std::vector<std::string> words) {
    const Outcome outcome = run_command(add, words);
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
    return outcome.out;
  }

  TracedSubject traced_;
};

TEST_F(LockViews, NameTheLockInText) {
  use("mutex");
  const std::string text = output_of(add_show, {"show", traced_.path(), "--all"});
  EXPECT_THAT(text, HasSubstr("for the mutex `LOCK_open`"));
  EXPECT_THAT(text, HasSubstr("ATTEMPTS TO GET THE MUTEX"));
  EXPECT_THAT(text, HasSubstr("CPUS AND THE MUTEX"));
  EXPECT_THAT(text, HasSubstr("mariadbd, PID 1234, mutex at LOCK_open+0 in /usr/sbin/mariadbd"));
  EXPECT_THAT(text, Not(HasSubstr("the GIL")));
  EXPECT_THAT(text, Not(HasSubstr("THE GIL")));
}

TEST_F(LockViews, NameTheLockInThePage) {
  use("mutex");
  const std::string page = output_of(add_html, {"html", traced_.path(), "-o", "-"});
  EXPECT_THAT(page, HasSubstr("for the mutex `LOCK_open`"));
  EXPECT_THAT(page, HasSubstr("The mutex: from the segments"));
  EXPECT_THAT(page, HasSubstr("CPUs and the mutex `LOCK_open`"));
  EXPECT_THAT(page, Not(HasSubstr("CPUs and the GIL")));
}

TEST_F(LockViews, SayThatNobodyHoldsACondition) {
  use("cond");
  const std::string text = output_of(add_show, {"show", traced_.path()});
  EXPECT_THAT(text, HasSubstr("for the condition `LOCK_open`"));
  EXPECT_THAT(text, HasSubstr("Nobody holds a condition"));
  EXPECT_THAT(text, Not(HasSubstr("held it 8")));
}

}  // namespace
}  // namespace gilscope
