// `gilscope merge` as the command line runs it, on directories as runs leave them.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstring>
#include <map>

#include "tests/unit/command.h"
#include "tests/unit/temporary_directory.h"
#include "tools/cli/tools.h"
#include "userspace/report/json.h"
#include "userspace/report/samples_file.h"
#include "userspace/report/segment_file.h"

namespace gilscope {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

// Every file below a directory with its contents; directory names end in a slash.
std::map<std::string, std::string> tree(const std::string& path) {
  std::map<std::string, std::string> all;
  if (!fs::is_directory(path)) return all;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    const std::string name = fs::path(entry.path()).lexically_relative(path).string();
    std::ifstream file(entry.path(), std::ios::binary);
    if (entry.is_directory()) {
      all[name + "/"] = "";
    } else {
      all[name] = std::string(std::istreambuf_iterator<char>(file), {});
    }
  }
  return all;
}

std::string id_of(int number) {
  return fmt::format("0f0f0f0f-0000-4000-8000-{:012}", number);
}

class Merge : public testing::Test {
 protected:
  // A report of one cell whose blocks are traced in full, with samples; `number` determines the id.
  static Report report(int number, int blocks, const std::string& machine = "box-a") {
    Report r;
    r.id = id_of(number);
    r.gilscope = "0.1.0";
    r.created_at = "2026-03-01T12:00:00Z";
    r.status = "done";
    r.spec_sha256 = std::string(64, 'a');
    r.blocks_planned = 10;
    r.environment = {{"host.name", machine, ""}, {"kernel.release", std::string("6.18.4"), ""}};
    r.environment_after = {{"uptime_s", int64_t{blocks}, ""}};
    Cell cell;
    cell.policy = "check-interval:100";
    cell.workload = "echo:background=1";
    cell.arrangement = "threaded";
    cell.threads = 1;
    cell.cpus = "1";
    cell.cpu_list = {0};
    cell.cpus_by = "affinity";
    cell.cpu_order = "cores-first";
    cell.main_exit = "join";
    for (int block = 0; block < blocks; ++block) cell.runs.push_back(run(block));
    r.cells.push_back(cell);
    return r;
  }

  static gilscope::Run run(int block) {
    gilscope::Run run;
    run.block = block;
    run.trace = "full";
    run.status = "done";
    run.started_at = "2026-03-01T12:00:01Z";
    run.wall_ns = 1'000'000 + static_cast<uint64_t>(block);
    run.lost = Lost{};
    run.workload["latency_samples"] = 2;
    run.segments_file = fmt::format("segments/cell0000-block{:04}.bin", block);
    run.samples_file = fmt::format("samples/cell0000-block{:04}-full.npy", block);
    run.segment_records = 3;
    return run;
  }

  // Writes the report into the directory `name`, with every file that it names. `salt` varies the
  // files' contents.
  std::string place(const std::string& name, const Report& report, uint64_t salt = 0) const {
    const std::string path = directory_ / name;
    fs::create_directories(path + "/segments");
    fs::create_directories(path + "/samples");
    const Fd at(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (size_t c = 0; c < report.cells.size(); ++c) {
      for (const gilscope::Run& run : report.cells[c].runs) {
        SegmentFileHeader header;
        header.cell = static_cast<uint32_t>(c);
        header.block = static_cast<uint32_t>(run.block);
        std::strcpy(header.report_id.data(), report.id.c_str());
        std::vector<gilscope_segment> segments(3);
        for (auto& s : segments) s.run_ns = s.end_ns = 1000 + salt + header.block;
        auto writer = SegmentWriter::create(at.get(), run.segments_file, header);
        EXPECT_TRUE(writer) << writer.error().message;
        EXPECT_TRUE(writer->write(segments));
        EXPECT_TRUE(writer->finish());
        const std::vector<SampleRow> rows = {{1, 1000, 50 + salt}, {1, 2000, 60}};
        EXPECT_TRUE(write_samples(at.get(), run.samples_file, rows));
      }
    }
    write_json(name, to_json(report));
    return path;
  }
  void write_json(const std::string& name, const std::string& text) const {
    directory_.write(name + "/report.json", text);
  }

  Outcome merge(std::vector<std::string> arguments, const std::string& output) const {
    arguments.insert(arguments.begin(), "merge");
    arguments.insert(arguments.end(), {"-o", output});
    return run_command(add_merge, arguments);
  }
  Outcome merge(const std::vector<std::string>& inputs) const { return merge(inputs, out()); }

  // Fails with one line that contains `why`, and leaves `output` unchanged.
  void refuses(const std::vector<std::string>& inputs, const std::string& output, int exit,
               const testing::Matcher<std::string>& why) const {
    const bool was = fs::exists(output);
    const auto before = was ? tree(output) : std::map<std::string, std::string>();
    const Outcome outcome = merge(inputs, output);
    EXPECT_EQ(outcome.exit, exit) << outcome.err;
    EXPECT_THAT(outcome.err, why);
    EXPECT_TRUE(outcome.err.starts_with("gilscope: ")) << outcome.err;
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(fs::exists(output), was);
    if (was) {
      EXPECT_EQ(tree(output), before);
    }
  }
  void refuses(const std::vector<std::string>& inputs, int exit,
               const testing::Matcher<std::string>& why) const {
    refuses(inputs, out(), exit, why);
  }

  std::string out() const { return directory_ / "out"; }

  TemporaryDirectory directory_;
};

TEST_F(Merge, HoldsEachReportOnceAndWhole) {
  const std::string a = place("a", report(1, 2)), b = place("b", report(2, 3, "box-b"));
  const auto before = tree(directory_.path());
  const Outcome outcome = merge({a, b, a, directory_ / "a"});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out, out() + ": 2 reports of 2 machines, 5 runs; 0 already there\n");
  EXPECT_EQ(tree(out() + "/" + id_of(1)), tree(a));
  EXPECT_EQ(tree(out() + "/" + id_of(2)), tree(b));
  fs::remove_all(out());
  EXPECT_EQ(tree(directory_.path()), before) << "the inputs are unchanged";
}

TEST_F(Merge, IsIdempotentAndAssociative) {
  const std::string a = place("a", report(1, 2)), b = place("b", report(2, 3)),
                    c = place("c", report(3, 1));
  ASSERT_EQ(merge({a, b, c}).exit, 0);
  const auto whole = tree(out());
  const Outcome again = merge({c, a, b});
  EXPECT_EQ(again.out, out() + ": 3 reports of 1 machine, 6 runs; 3 already there\n");
  EXPECT_EQ(tree(out()), whole);
  EXPECT_EQ(merge({out()}).exit, 0) << "into itself";
  EXPECT_EQ(merge({out() + "/" + id_of(2), a}).exit, 0) << "one of its own reports";
  EXPECT_EQ(tree(out()), whole);
  const std::string left = directory_ / "left", right = directory_ / "right";
  ASSERT_EQ(merge({a, b}, left).exit, 0);
  ASSERT_EQ(merge({left, c}, right).exit, 0);
  EXPECT_EQ(tree(right), whole) << "(a + b) + c";
  EXPECT_EQ(merge({b}, right).out, right + ": 3 reports of 1 machine, 6 runs; 3 already there\n");
}

TEST_F(Merge, OrderOfArgumentsDoesNotMatter) {
  const std::string a = place("a", report(1, 2)), b = place("b", report(2, 3)),
                    later = place("later", report(1, 5));
  // The same report spelled differently: merge keeps one of the spellings, whichever order they
  // come in.
  std::string spelled = to_json(report(2, 3));
  place("spelled", report(2, 3));
  write_json("spelled", spelled + "\n\n");
  std::vector<std::string> inputs = {a, b, directory_ / "spelled", later};
  std::ranges::sort(inputs);
  std::map<std::string, std::string> first;
  do {
    fs::remove_all(out());
    ASSERT_EQ(merge(inputs).exit, 0);
    if (first.empty()) first = tree(out());
    ASSERT_EQ(tree(out()), first);
  } while (std::ranges::next_permutation(inputs).found);
  // Merging them one after the other gives the same result.
  fs::remove_all(out());
  for (const std::string& input : inputs) ASSERT_EQ(merge({input}).exit, 0);
  EXPECT_EQ(tree(out()), first);
  EXPECT_EQ(first.size(), 2u * 4 + 5 * 2 + 3 * 2);
}

TEST_F(Merge, FindsReportsHoweverDeepAndFollowsNoLinks) {
  place("fleet/x/one", report(1, 1));
  place("fleet/two", report(2, 1));
  place("fleet/.hidden", report(3, 1));
  place("elsewhere", report(4, 1));
  directory_.write("fleet/notes.txt", "mine");
  fs::create_directory_symlink(directory_ / "elsewhere", directory_ / "fleet/link");
  const Outcome outcome = merge({directory_ / "fleet/"});
  EXPECT_EQ(outcome.exit, 0);
  EXPECT_THAT(outcome.out, HasSubstr("2 reports of 1 machine, 2 runs"));
  EXPECT_THAT(outcome.err, HasSubstr("fleet/link' is a symbolic link and was not followed"));
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1);
  EXPECT_THAT(merge({directory_ / "fleet/link"}).out, HasSubstr("3 reports"))
      << "a link that is named itself";
}

TEST_F(Merge, KeepsTheLaterStateOfAnExperimentThatWentOn) {
  Report early = report(1, 2);
  early.status = "running";
  Report resumed = report(1, 5);  // the second block was cut short, and is marked
  early.cells[0].runs[1].status = "done";
  resumed.cells[0].runs[1].status = "interrupted";
  resumed.capabilities = {{"cpus_by", std::string("affinity"), ""}};
  const std::string a = place("early", early), b = place("resumed", resumed);
  ASSERT_EQ(merge({a}).exit, 0);
  const Outcome outcome = merge({b});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_EQ(outcome.out,
            out() + ": 1 report of 1 machine, 5 runs; 1 already there, 1 of them less complete\n");
  EXPECT_EQ(tree(out() + "/" + id_of(1)), tree(b));
  EXPECT_THAT(merge({a}).out, HasSubstr("5 runs; 1 already there\n"));
  EXPECT_EQ(tree(out() + "/" + id_of(1)), tree(b)) << "a less complete state does not replace it";
}

TEST_F(Merge, AReportOfAnOlderMinorIsAnEarlierStateWhereANewerGilscopeWentOn) {
  std::string older = to_json(report(1, 1));
  for (const std::string key :
       {", \"gates\": []", ",\"gates\":[]", ",\"opened_ns\":null", ",\"window_late_ns\":0"}) {
    if (const size_t at = older.find(key); at != older.npos) older.erase(at, key.size());
  }
  const std::string minor = fmt::format("\"minor\": {}", kReportMinor);
  older.replace(older.find(minor), minor.size(), "\"minor\": 0");
  ASSERT_EQ(older.find("gates"), older.npos);
  const std::string a = place("a", report(1, 1)), b = place("b", report(1, 2));
  write_json("a", older);
  EXPECT_EQ(merge({b, a}).exit, 0);
  EXPECT_EQ(tree(out() + "/" + id_of(1)), tree(b));
}

TEST_F(Merge, ConflictsNameBothAndWhatDiffers) {
  const auto conflict = [&](auto change, const std::string& why) {
    Report other = report(1, 3);
    change(other);
    const std::string a = place("a", report(1, 3)), b = place("b", other);
    const auto both = AllOf(HasSubstr("a/report.json'"), HasSubstr("b/report.json'"),
                            HasSubstr(why), HasSubstr("neither continues the other"));
    refuses({a, b}, 2, both);
    refuses({b, a}, 2, both);
    ASSERT_EQ(merge({a}).exit, 0);
    refuses({b}, 2, AllOf(HasSubstr(out()), HasSubstr("b/report.json'"), HasSubstr(why)));
    for (const char* used : {"a", "b", "out"}) fs::remove_all(directory_ / used);
  };
  conflict([](Report& r) { r.cells[0].runs[1].gil.acquires = 7; },
           "cell 0, block 1, trace full: gil.acquires is ");
  conflict([](Report& r) { r.cells[0].runs[2].status = "failed"; },
           "cell 0, block 2, trace full: status is ");
  conflict([](Report& r) { r.seed = 77; }, "seed is ");
  conflict([](Report& r) { r.spec = "blocks = 7"; }, "spec.toml is ");
  conflict([](Report& r) { r.environment[1].value = std::string("6.1.0"); },
           "environment.kernel.release is ");
  conflict([](Report& r) { r.cells[0].cpu_list = {1}; }, "cell 0: cpu_list.0 is ");
  conflict([](Report& r) { r.cells[0].runs[1].cpus.emplace_back(); },
           "cell 0, block 1, trace full: cores has ");
  // Two that both continued from the same state.
  conflict(
      [](Report& r) {
        r.cells[0].runs.pop_back();
        r.cells.push_back(r.cells[0]);
        r.cells[1].policy = "none";
        r.cells[1].runs.clear();
      },
      "cells in the first");
}

TEST_F(Merge, TwoThatWentOnApartAreNotOne) {
  Report one = report(1, 3), other = report(1, 2);
  one.cells.push_back(one.cells[0]), other.cells.push_back(other.cells[0]);
  one.cells[1].policy = other.cells[1].policy = "none";
  for (Report* r : {&one, &other}) {
    for (Cell& cell : r->cells) {
      for (auto& run : cell.runs) run.segments_file.clear(), run.samples_file.clear();
    }
  }
  one.cells[1].runs.clear();  // 3 + 0 runs, and 2 + 2
  const std::string a = place("a", report(1, 0)), b = place("b", report(1, 0));
  write_json("a", to_json(one));
  write_json("b", to_json(other));
  refuses({a, b}, 2, HasSubstr("the run is in the first only"));
}

TEST_F(Merge, FilesOfOneRunThatDifferAreAnError) {
  const std::string a = place("a", report(1, 2)), b = place("b", report(1, 2), 5);
  refuses({a, b}, 2,
          AllOf(HasSubstr("a/s"), HasSubstr("b/s"), HasSubstr("to the same run but differ")));
  ASSERT_EQ(merge({a}).exit, 0);
  refuses({b}, 2, HasSubstr("to the same run but differ"));
}

TEST_F(Merge, AMissingFileStaysMissingUntilACopyHasIt) {
  const std::string a = place("a", report(1, 2)), b = place("b", report(1, 2));
  const std::string name = "/segments/cell0000-block0001.bin";
  fs::remove(a + name);
  fs::remove_all(a + "/samples");
  const Outcome outcome = merge({a});
  EXPECT_EQ(outcome.exit, 0);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("3 files that reports name are missing from every copy"),
                                 HasSubstr("the first '" + a + "/samples/cell0000-block0000")));
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1);
  EXPECT_FALSE(fs::exists(out() + "/" + id_of(1) + name));
  EXPECT_FALSE(fs::exists(out() + "/" + id_of(1) + "/samples"));
  const Outcome filled = merge({b});
  EXPECT_EQ(filled.err, "");
  EXPECT_THAT(filled.out, HasSubstr("1 already there, 1 of them less complete"));
  EXPECT_EQ(tree(out() + "/" + id_of(1)), tree(b));
  EXPECT_EQ(merge({a}).err, "") << "nothing is missing any longer";
}

TEST_F(Merge, FilesThatAreNotTheirRunsAreRefused) {
  const std::string a = place("a", report(1, 2));
  const std::string segments = "a/segments/cell0000-block0001.bin";
  const std::string samples = "a/samples/cell0000-block0001-full.npy";
  const auto whole = tree(a);
  const auto with = [&](const std::string& name, auto change) {
    std::string bytes = whole.at(name.substr(2));
    change(bytes);
    directory_.write(name, bytes);
  };
  const auto mend = [&](const std::string& name) { with(name, [](std::string&) {}); };

  with(segments, [](std::string& s) { s.resize(s.size() - 48); });
  refuses({a}, 3, HasSubstr("holds 2 records, but the report says 3"));
  with(segments, [](std::string& s) { s.pop_back(); });
  refuses({a}, 3, HasSubstr("ends within a record"));
  with(segments, [](std::string& s) { s[28] ^= 1; });
  refuses({a}, 3, HasSubstr("is of cell 0, block 0"));
  with(segments, [](std::string& s) { s[33] ^= 1; });
  refuses({a}, 3, HasSubstr("belongs to the report"));
  mend(segments);

  with(samples, [](std::string& s) { s.resize(s.size() - 24); });
  refuses({a}, 3, HasSubstr("is truncated"));
  with(samples, [](std::string& s) { s += 'x'; });
  refuses({a}, 3, HasSubstr("is truncated"));
  with(samples, [](std::string& s) { s[3] = 'x'; });
  refuses({a}, 3, HasSubstr("is not a file of samples"));
  with(samples, [](std::string& s) { s = ""; });
  refuses({a}, 3, HasSubstr("is not a file of samples"));
  with(samples, [](std::string& s) {
    s.resize(s.size() - 24);
    s[s.find("(2, 3)") + 1] = '1';
  });
  refuses({a}, 3, HasSubstr("holds 1 samples, but the report says 2"));
  mend(samples);
  EXPECT_EQ(merge({a}).exit, 0);
}

TEST_F(Merge, FilesOfAFailedRunAreCarriedUncounted) {
  Report failed = report(1, 2);
  failed.cells[0].runs[1].status = "failed";
  const std::string a = place("a", failed);
  failed.cells[0].runs[1].segment_records = 0;
  write_json("a", to_json(failed));
  EXPECT_EQ(merge({a}).exit, 0);
  EXPECT_EQ(tree(out() + "/" + id_of(1)), tree(a));
}

TEST_F(Merge, NoNameLeadsOutOfTheReport) {
  directory_.write("precious", "precious");
  for (const std::string& name :
       {std::string("../precious"), directory_ / "precious", std::string("segments/../../precious"),
        std::string("segments//x"), std::string("./x"), std::string("segments/")}) {
    Report r = report(1, 1);
    const std::string a = place("a", r);
    r.cells[0].runs[0].samples_file = name;
    write_json("a", to_json(r));
    refuses({a}, 3, HasSubstr("which is not beside it"));
    r.cells[0].runs[0].samples_file.clear();
    r.cells[0].runs[0].segments_file = name;
    write_json("a", to_json(r));
    refuses({a}, 3, HasSubstr("which is not beside it"));
    fs::remove_all(a);
  }
}

TEST_F(Merge, LinksAndPipesAreNotRead) {
  const std::string a = place("a", report(1, 1));
  const std::string segments = a + "/segments/cell0000-block0000.bin";
  fs::rename(segments, directory_ / "moved");
  fs::create_symlink(directory_ / "moved", segments);
  refuses({a}, 2, HasSubstr("symbolic link"));
  fs::remove(segments);
  ASSERT_EQ(mkfifo(segments.c_str(), 0644), 0);
  refuses({a}, 3, HasSubstr("not a regular file"));
  fs::remove(segments);
  fs::rename(directory_ / "moved", segments);
  // A link in the middle of a path.
  fs::rename(a + "/samples", directory_ / "samples");
  fs::create_directory_symlink(directory_ / "samples", a + "/samples");
  refuses({a}, 2, HasSubstr("'samples' is a symbolic link"));
  fs::remove(a + "/samples");
  fs::rename(directory_ / "samples", a + "/samples");

  fs::rename(a + "/report.json", directory_ / "moved");
  fs::create_symlink(directory_ / "moved", a + "/report.json");
  refuses({a}, 2, HasSubstr("symbolic link"));
  fs::remove(a + "/report.json");
  ASSERT_EQ(mkfifo((a + "/report.json").c_str(), 0644), 0);
  refuses({a}, 3, HasSubstr("not a regular file"));
}

TEST_F(Merge, TheIdBecomesANameOnlyWhereItIsOne) {
  const std::string a = place("a", report(1, 0));
  for (const char* id : {"", "..", "../../x", "0F0F0F0F-0000-4000-8000-000000000001"}) {
    Report r = report(1, 0);
    r.id = id;
    write_json("a", to_json(r));
    refuses({a}, 3, HasSubstr("is not a UUID"));
  }
}

TEST_F(Merge, NothingToMergeIsNoData) {
  fs::create_directories(directory_ / "empty/below");
  refuses({directory_ / "empty"}, 3, HasSubstr("no report in"));
  const std::string a = place("a", report(1, 1));
  refuses({a, directory_ / "empty"}, 3, HasSubstr("no report in"));
  refuses({directory_ / "none"}, 2, HasSubstr("No such file"));
  directory_.write("page.html", "<!DOCTYPE html><!-- gilscope page 1 -->");
  refuses({directory_ / "page.html"}, 2, HasSubstr("is not a directory"));
  refuses({a + "/report.json"}, 2, HasSubstr("is not a directory"));
  write_json("page", "<!DOCTYPE html><!-- gilscope page 1 -->");
  refuses({directory_ / "page"}, 3, HasSubstr("a page and not the report itself"));
}

TEST_F(Merge, AHalfWrittenReportIsNamed) {
  const std::string a = place("a", report(1, 1)), b = place("b", report(2, 1));
  const std::string text = to_json(report(2, 1));
  write_json("b", text.substr(0, text.size() / 2));
  refuses({a, b}, 3, AllOf(HasSubstr("b/report.json"), HasSubstr("truncated")));
  write_json("b", "");
  refuses({b, a}, 3, HasSubstr("empty, not a report"));
  Report future = report(2, 1);
  future.major = 2;
  write_json("b", to_json(future));
  refuses({a, b}, 3, HasSubstr("major version 2"));
}

TEST_F(Merge, TheOutputIsNotInAnInputNorTheOtherWayRound) {
  const std::string a = place("fleet/a", report(1, 1)), fleet = directory_ / "fleet";
  refuses({fleet}, fleet + "/all", 2, HasSubstr("lies in the input"));
  refuses({a}, a + "/all", 2, HasSubstr("lies in the input"));
  refuses({a}, fleet, 2, HasSubstr("lies in the output"));
  refuses({a}, a, 2, HasSubstr("was not made by merge"));
  refuses({fleet}, fleet, 2, HasSubstr("was not made by merge"));
  refuses({fleet}, directory_ / "fleet/../fleet/./all", 2, HasSubstr("lies in the input"));
  fs::create_directory_symlink(fleet, directory_ / "alias");
  refuses({fleet}, directory_ / "alias/all", 2, HasSubstr("lies in the input"));
  EXPECT_EQ(merge({fleet}, directory_ / "fleet-all").exit, 0)
      << "only the beginning of the name is the same";
  const std::string b = place("b", report(2, 1));
  EXPECT_EQ(merge({directory_ / "fleet-all", b}, directory_ / "fleet-all").out,
            directory_ / "fleet-all: 2 reports of 1 machine, 2 runs; 1 already there\n");
}

TEST_F(Merge, OnlyItsOwnKindOfDirectoryIsFilled) {
  const std::string a = place("a", report(1, 1)), other = place("other", report(2, 1));
  directory_.write("home/notes", "mine");
  refuses({a}, directory_ / "home", 2, HasSubstr("not empty and holds no reports"));
  refuses({a}, other, 2, HasSubstr("was not made by merge"));
  refuses({a}, directory_ / "home/notes", 2, HasSubstr("is a file"));
  refuses({a}, directory_ / "none/out", 2, HasSubstr("No such file"));
  fs::create_directory(directory_ / "real");
  fs::create_directory_symlink(directory_ / "real", directory_ / "link");
  refuses({a}, directory_ / "link", 2, HasSubstr("symbolic link"));
  EXPECT_EQ(merge({a}, directory_ / "real").exit, 0);
  directory_.write("real/notes", "mine");
  EXPECT_EQ(merge({other}, directory_ / "real").exit, 0) << "notes beside reports do no harm";
  EXPECT_EQ(tree(directory_ / "real").at("notes"), "mine");
}

// A file size limit fails a write midway, like a full disk.
TEST_F(Merge, AFullDiskLeavesWholeReportsAndNothingElse) {
  const std::string a = place("a", report(1, 1));
  Report large = report(2, 1);
  large.spec = std::string(100'000, '#');
  const std::string b = place("b", large);
  const auto limited = [&](const std::vector<std::string>& inputs) {
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit limit = {50'000, before.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const Outcome outcome = merge(inputs);
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, SIG_DFL);
    EXPECT_EQ(outcome.exit, 2);
    EXPECT_THAT(outcome.err, HasSubstr(std::strerror(EFBIG)));
    EXPECT_EQ(outcome.out, "");
  };
  limited({b});
  EXPECT_FALSE(fs::exists(out()));
  limited({b, a});
  EXPECT_EQ(fs::exists(out() + "/" + id_of(2)), false);
  EXPECT_EQ(tree(out() + "/" + id_of(1)), tree(a));
  EXPECT_EQ(std::distance(fs::directory_iterator(out()), fs::directory_iterator()), 1);

  // A failed update leaves the earlier state, which is complete.
  Report later = report(1, 3);
  later.environment_after = {{"long", std::string(100'000, '#'), ""}};
  const std::string c = place("c", later);
  limited({c});
  EXPECT_EQ(tree(out() + "/" + id_of(1)), tree(a));
  EXPECT_EQ(merge({a, b, c}).exit, 0);
  EXPECT_EQ(tree(out() + "/" + id_of(1)), tree(c));
  EXPECT_EQ(tree(out() + "/" + id_of(2)), tree(b));
}

TEST_F(Merge, GoesOnAfterOneThatWasKilled) {
  const std::string a = place("a", report(1, 1)), b = place("b", report(1, 3));
  // Killed while assembling the first report.
  directory_.write("out/.merging/segments/cell0000-block0000.bin", "half");
  EXPECT_EQ(merge({a}).exit, 0);
  EXPECT_EQ(tree(out() + "/" + id_of(1)), tree(a));
  // Killed during an update: there is a file that the report does not name yet.
  const std::string name = "/segments/cell0000-block0002.bin";
  fs::copy_file(b + name, out() + "/" + id_of(1) + name);
  EXPECT_EQ(merge({b}).exit, 0);
  EXPECT_EQ(tree(out()).size(), tree(b).size() + 1);
  EXPECT_EQ(tree(out() + "/" + id_of(1)), tree(b));
  // A file with other contents than merge would write belongs to the user.
  fs::remove_all(out());
  ASSERT_EQ(merge({a}).exit, 0);
  directory_.write("out/" + id_of(1) + name, "mine");
  refuses({b}, 2, AllOf(HasSubstr(name), HasSubstr("move it away")));
}

TEST_F(Merge, OneAtATime) {
  const std::string a = place("a", report(1, 1));
  fs::create_directory(out());
  const Fd other(open(out().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(flock(other.get(), LOCK_EX), 0);
  refuses({a}, 2, HasSubstr("another gilscope is writing to"));
}

TEST_F(Merge, HundredsOfReports) {
  constexpr int kReports = 200;
  for (int i = 0; i < kReports; ++i) {
    Report r = report(i, 0, fmt::format("box-{}", i % 10));
    r.cells[0].runs = {run(0), run(1)};
    for (auto& run : r.cells[0].runs) run.segments_file.clear(), run.samples_file.clear();
    write_json(fmt::format("fleet/{}", i), to_json(r));
  }
  const Outcome outcome = merge({directory_ / "fleet"});
  EXPECT_EQ(outcome.out, fmt::format("{}: {} reports of 10 machines, {} runs; 0 already there\n",
                                     out(), kReports, 2 * kReports));
  EXPECT_THAT(merge({directory_ / "fleet"}).out,
              HasSubstr(fmt::format("{} already there\n", kReports)));
}

TEST_F(Merge, CommandLine) {
  const auto wrong = [&](const std::vector<std::string>& arguments) {
    EXPECT_EQ(run_command(add_merge, arguments).exit, 2);
  };
  wrong({"merge"});
  wrong({"merge", "-o", out()});
  wrong({"merge", directory_.path()});
}

}  // namespace
}  // namespace gilscope
