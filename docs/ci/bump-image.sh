#!/usr/bin/env bash
# What a CI job does after it has pushed an image: sets the image's tag in a config repository, and pushes that.
#
#   GIT_USERNAME=ci GIT_PASSWORD=... bump-image.sh REPOSITORY OVERLAY IMAGE TAG
#
#   bump-image.sh https://git.example.com/payments-config.git overlays/test firedamp.dev/payments 1.1
#
# A push that is rejected because another came first is tried again on top of that one.
# BRANCH (main) is the branch, ATTEMPTS (5) how often to try. It needs git and kustomize.
set -euo pipefail

die() {
  echo "bump-image: $*" >&2
  exit 1
}

[ $# -eq 4 ] || die "usage: bump-image.sh REPOSITORY OVERLAY IMAGE TAG"
readonly repository=$1 overlay=$2 image=$3 tag=$4
readonly branch=${BRANCH:-main} attempts=${ATTEMPTS:-5}
[[ $tag =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$ ]] || die "no image can have the tag '$tag'"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# git runs this for what it would ask a person. So the password is in no argument, URL or file.
cat >"$work/askpass" <<'ASKPASS'
#!/bin/sh
case $1 in
  Username*) printf '%s\n' "${GIT_USERNAME:-}" ;;
  *) printf '%s\n' "${GIT_PASSWORD:-}" ;;
esac
ASKPASS
chmod 700 "$work/askpass"
export GIT_ASKPASS=$work/askpass GIT_TERMINAL_PROMPT=0
export GIT_AUTHOR_NAME=${GIT_AUTHOR_NAME:-ci} GIT_AUTHOR_EMAIL=${GIT_AUTHOR_EMAIL:-ci@example.com}
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL

git clone --quiet --depth 1 --branch "$branch" "$repository" "$work/config"
cd "$work/config"
[ -f "$overlay/kustomization.yaml" ] || die "$branch has no $overlay/kustomization.yaml"

for attempt in $(seq "$attempts"); do
  base=$(git rev-parse HEAD)
  (cd "$overlay" && kustomize edit set image "$image:$tag" && kustomize build . >"$work/rendered.yaml")
  grep --quiet --fixed-strings "$image:$tag" "$work/rendered.yaml" || die "nothing in $overlay uses $image"
  if git diff --quiet; then
    echo "$branch has $image:$tag already"
    exit 0
  fi
  git commit --quiet --all --message "${image##*/} $tag"
  if git push --quiet origin "HEAD:refs/heads/$branch"; then
    echo "pushed $(git rev-parse HEAD): $image:$tag"
    exit 0
  fi
  git fetch --quiet --depth 1 origin "$branch"
  [ "$(git rev-parse FETCH_HEAD)" != "$base" ] || die "the push was rejected, and no other push is the reason"
  echo "attempt $attempt of $attempts: another push came first"
  git reset --quiet --hard FETCH_HEAD
done
die "rejected $attempts times; run the job again"
